"""The requests that both sides get: the same prompts, the same tokens to write."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from parley.domain.prompting import messages_of
from parley.ids import new_traceparent
from parley.ports.engine import ChatMessage
from schemas.base import (
    ConversationId,
    CustomerId,
    Envelope,
    Event,
    EventId,
    GenerationId,
    MessageId,
    TenantId,
)
from schemas.parts import Passage
from schemas.tenant import TenantConfig
from schemas.work import GenerationRequested
from tests.support.small_tenant import CONFIG, VERSION
from workers.inference.results import prompt_of

WORDS = [
    "the",
    "account",
    "card",
    "money",
    "bank",
    "branch",
    "payment",
    "transfer",
    "limit",
    "statement",
    "balance",
    "interest",
    "customer",
    "number",
    "monthly",
    "fee",
    "standing",
    "order",
    "direct",
    "debit",
    "mortgage",
    "savings",
    "deposit",
    "withdrawal",
    "abroad",
    "currency",
    "exchange",
    "application",
    "form",
    "signature",
    "address",
    "telephone",
    "change",
    "close",
    "open",
    "block",
    "lost",
    "stolen",
    "replace",
    "new",
    "old",
]
WITHIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as the log has it and as the raw engine gets it."""

    event: Event[GenerationRequested]
    messages: tuple[ChatMessage, ...]
    prompt_token_ids: tuple[int, ...]

    @property
    def tenant(self) -> str:
        return self.event.envelope.tenant


def config_of(tenant: str, output_tokens: int) -> TenantConfig:
    """The small tenant of the tests under this name."""
    prompts = CONFIG.prompts.model_copy(update={"max_tokens": output_tokens})
    return CONFIG.model_copy(update={"id": TenantId(tenant), "prompts": prompts})


def request_of(event_id: str, tenant: str, words: Sequence[str]) -> Event[GenerationRequested]:
    """A request of its own conversation, whose only passage has these words."""
    now = datetime.now(UTC)
    text = " ".join(words) or "-"
    passage = Passage(
        chunk_id="p", article_id="a", title="Fees", url="/fees", language="en", text=text, score=1.0
    )
    body = GenerationRequested(
        generation_id=GenerationId(UUID(event_id).hex),
        message_ids=(MessageId("m"),),
        question="What does the account cost?",
        language="en",
        epoch=0,
        deadline=now + WITHIN,
        passages=(passage,),
    )
    envelope = Envelope(
        event_id=EventId(event_id),
        type=body.event_type(),
        tenant=TenantId(tenant),
        tenant_version=VERSION,
        customer_id=CustomerId("bench"),
        conversation_id=ConversationId(event_id),
        occurred_at=now,
        traceparent=new_traceparent(EventId(event_id)),
    )
    return Event(envelope, body)


class Load:
    """Makes calls whose prompts have a number of tokens exactly. `tokenizer` is the model's (`transformers`)."""

    def __init__(self, tokenizer: Any, prompt_tokens: int, output_tokens: int, seed: int = 0) -> None:
        self._tokenizer = tokenizer
        self._prompt_tokens = prompt_tokens
        self._output_tokens = output_tokens
        self._random = random.Random(seed)

    def calls(self, tenants: Sequence[str]) -> list[Call]:
        """One call for each name, in order."""
        return [self._call(tenant) for tenant in tenants]

    def again(self, call: Call) -> Call:
        """The same text asked anew, in another conversation."""
        words = call.event.body.passages[0].text.split(" ")
        return Call(request_of(str(uuid4()), call.tenant, words), call.messages, call.prompt_token_ids)

    def _call(self, tenant: str) -> Call:
        config = config_of(tenant, self._output_tokens)
        event_id = str(uuid4())
        words = [self._random.choice(WORDS) for _ in range(self._prompt_tokens)]
        low, high = 0, len(words)
        while low < high:  # the longest passage that leaves the prompt short enough
            middle = (low + high + 1) // 2
            if (
                len(self._tokens(request_of(event_id, tenant, words[:middle]), config)[1])
                <= self._prompt_tokens
            ):
                low = middle
            else:
                high = middle - 1
        event = request_of(event_id, tenant, words[:low])
        messages, tokens = self._tokens(event, config)
        return Call(event, messages, tuple(tokens))

    def _tokens(
        self, event: Event[GenerationRequested], config: TenantConfig
    ) -> tuple[tuple[ChatMessage, ...], list[int]]:
        messages = messages_of(prompt_of(event, config))
        said = [message._asdict() for message in messages]
        text = self._tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        return messages, self._tokenizer.encode(text, add_special_tokens=False)


def zipf(tenants: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Names drawn by Zipf's law: the n-th of them with a weight of 1/n."""
    weights = [1 / rank for rank in range(1, len(tenants) + 1)]
    return random.Random(seed).choices(tenants, weights, k=count)
