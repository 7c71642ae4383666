"""The analysis worker, an effector: a finished conversation's history out of the read model, to its summary, topics, promises, sentiment, checks.

What the dialogue worker had read of the customer's turns (`MessageRead`) is taken as it is; turns that nobody has read, as those of an
imported call, are classified here in one batch. All else is rules (`parley.domain.analysis`).
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from parley.codec import Codec
from parley.domain import risks
from parley.domain.analysis import SaidTurn, analyse
from parley.domain.events import follow
from parley.errors import ConfigurationError, NewerVersion
from parley.ports.clock import Clock
from parley.ports.models import Classifier
from parley.ports.store import ReadModel
from parley.runtime.effector import FailureReason
from parley.runtime.handling import Results
from parley.runtime.versions import VersionedContent
from schemas.base import Event, TenantId
from schemas.conversation_events import ConversationAnalysed
from schemas.topics import WORK_ANALYSE
from schemas.work import AnalysisRequested
from workers.analysis.reading import Reading, read_turns

log = logging.getLogger(__name__)


class AnalysisEffector:
    """Implements `parley.runtime.effector.Effector`."""

    name = "analysis"
    topic = WORK_ANALYSE.name
    batch = 8
    calls = 1

    def __init__(
        self, classifier: Classifier, store: ReadModel, codec: Codec, content: VersionedContent, clock: Clock
    ) -> None:
        self._classifier = classifier
        self._store = store
        self._codec = codec
        self._content = content
        self._clock = clock

    def prepare(self) -> None:
        """Intents are learned with the first turn that needs them: nobody waits for an analysis."""
        risks.prepare()

    def deadline(self, event: Event[AnalysisRequested]) -> datetime:
        return event.body.deadline

    def handle(self, events: Sequence[Event[AnalysisRequested]]) -> list[Results]:
        return [self._analysed(event) for event in events]

    def failed(self, event: Event[AnalysisRequested], reason: FailureReason) -> Results:
        """Nothing follows: an analysis that is missing holds nobody up, and nobody waits for it."""
        log.warning("analysis: %s of event %s: none", reason, event.envelope.event_id)
        return []

    def _analysed(self, event: Event[AnalysisRequested]) -> Results:
        """Nothing where there is nothing to read (any more): the customer was erased."""
        told = self._told(event)
        if told is None:
            return []
        turns = self._classified(event.envelope.tenant, event.envelope.tenant_version, told)
        config = self._content.config(event.envelope.tenant, event.envelope.tenant_version)
        body = ConversationAnalysed(
            up_to_seq=event.body.up_to_seq, analysis=analyse(turns, config, event.body.language)
        )
        return [follow(event.envelope, body, 0, self._clock.now())]

    def _told(self, event: Event[AnalysisRequested]) -> Reading | None:
        try:
            return read_turns(self._store, self._codec, event.envelope.conversation_id, event.body.up_to_seq)
        except NewerVersion as error:
            raise ConfigurationError(f"history: {error}") from error

    def _classified(self, tenant: TenantId, version: str, told: Reading) -> list[SaidTurn]:
        """With intents and risks of the customer's turns that nobody has read."""
        unread = told.unread()
        if not unread:
            return told.turns()
        self._fit(tenant, version)
        texts = list(dict.fromkeys(turn.text for turn in unread))
        found = dict(zip(texts, self._classifier.classify(tenant, version, texts), strict=True))
        for turn in unread:
            each = found[turn.text]
            told.understood(turn, each.intents, risks.together(risks.risks(turn.text), each.risks))
        return told.turns()

    def _fit(self, tenant: TenantId, version: str) -> None:
        if not self._classifier.ready(tenant, version):
            self._classifier.prepare(tenant, version, *self._content.get(tenant, version))
