"""The intent worker, an effector: a message's language and intents by the classifier port, entities and risks by rules as well.

Rules do not depend on the classifier's backend, nor on its being there: a message that it could not read is still looked through for risks.
"""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from parley.domain import entities, risks
from parley.domain.events import follow
from parley.ports.clock import Clock
from parley.ports.models import Classifier, Understanding
from parley.runtime.effector import FailureReason
from parley.runtime.handling import Results
from parley.runtime.versions import VersionedContent
from schemas.base import Event, TenantId
from schemas.conversation_events import MessageUnderstood, UnderstandingFailed
from schemas.topics import WORK_UNDERSTAND
from schemas.work import UnderstandingRequested

UNDETERMINED = "und"
"""ISO 639-2 for a language that nobody has looked at; deciders keep the conversation's."""
RULES = "rules"


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
        risks.prepare()
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
        """A risk leads to a human whatever has failed."""
        found = risks.risks(event.body.text)
        body: UnderstandingFailed | MessageUnderstood
        if found:
            body = MessageUnderstood(
                message_id=event.body.message_id,
                language=event.body.language_hint or UNDETERMINED,
                intents=(),
                risks=found,
                model=RULES,
            )
        else:
            body = UnderstandingFailed(message_id=event.body.message_id, reason=reason)
        return [follow(event.envelope, body, "failed", self._clock.now())]

    def _fit(self, tenant: TenantId, version: str) -> None:
        if not self._classifier.ready(tenant, version):
            self._classifier.prepare(tenant, version, *self._content.get(tenant, version))

    def _day_of(self, event: Event[UnderstandingRequested]) -> date:
        """Where the tenant is: what was written at eleven at night was written today."""
        config = self._content.config(event.envelope.tenant, event.envelope.tenant_version)
        return event.envelope.occurred_at.astimezone(ZoneInfo(config.hours.timezone)).date()

    def _understood(
        self, event: Event[UnderstandingRequested], found: Understanding
    ) -> Event[MessageUnderstood]:
        text = event.body.text
        body = MessageUnderstood(
            message_id=event.body.message_id,
            language=found.language,
            intents=found.intents,
            risks=risks.together(risks.risks(text), found.risks),
            entities=entities.together(entities.entities(text, self._day_of(event)), found.entities),
            model=self._classifier.name,
        )
        return follow(event.envelope, body, 0, self._clock.now())
