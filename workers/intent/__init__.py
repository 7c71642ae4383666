"""The intent worker, an effector: a message's language, intents, entities and risks, by the classifier port."""

from collections.abc import Sequence
from datetime import datetime

from parley.domain.events import follow
from parley.ports.clock import Clock
from parley.ports.models import Classifier, Understanding
from parley.runtime.effector import FailureReason, Results
from parley.runtime.versions import VersionedContent
from schemas.base import Event, TenantId
from schemas.conversation_events import MessageUnderstood, UnderstandingFailed
from schemas.topics import WORK_UNDERSTAND
from schemas.work import UnderstandingRequested


class IntentEffector:
    """Implements `parley.runtime.effector.Effector`."""

    name = "intent"
    topic = WORK_UNDERSTAND.name
    batch = 64
    calls = 1

    def __init__(self, classifier: Classifier, content: VersionedContent, clock: Clock) -> None:
        self._classifier = classifier
        self._content = content
        self._clock = clock

    def prepare(self) -> None:
        for tenant, version in self._content.current():
            self._fit(tenant, version)

    def deadline(self, event: Event[UnderstandingRequested]) -> datetime:
        return event.body.deadline

    def handle(self, events: Sequence[Event[UnderstandingRequested]]) -> list[Results]:
        results: dict[str, Results] = {}
        for (tenant, version), group in self._content.by_version(events).items():
            self._fit(tenant, version)
            found = self._classifier.classify(tenant, version, [event.body.text for event in group])
            for event, understanding in zip(group, found, strict=True):
                results[event.envelope.event_id] = [self._understood(event, understanding)]
        return [results[event.envelope.event_id] for event in events]

    def failed(self, event: Event[UnderstandingRequested], reason: FailureReason) -> Results:
        body = UnderstandingFailed(message_id=event.body.message_id, reason=reason)
        return [follow(event.envelope, body, "failed", self._clock.now())]

    def _fit(self, tenant: TenantId, version: str) -> None:
        if not self._classifier.ready(tenant, version):
            self._classifier.prepare(tenant, version, *self._content.get(tenant, version))

    def _understood(
        self, event: Event[UnderstandingRequested], found: Understanding
    ) -> Event[MessageUnderstood]:
        body = MessageUnderstood(
            message_id=event.body.message_id,
            language=found.language,
            intents=found.intents,
            risks=found.risks,
            entities=found.entities,
            model=self._classifier.name,
        )
        return follow(event.envelope, body, 0, self._clock.now())
