"""Which placeholders an answer may quote: the customer's own, where their originals are put back on the way out."""

from datetime import UTC, datetime, timedelta

from schemas.base import GenerationId, MessageId
from schemas.parts import HistoryTurn
from schemas.privacy import Privacy
from schemas.work import GenerationRequested
from tests.support.small_tenant import CONFIG
from workers.inference.results import quotable_of

ASKED = GenerationRequested(
    generation_id=GenerationId("0" * 32),
    message_ids=(MessageId("m-1"),),
    question="Will you call [phone_1] about [contract_2]? My PIN is [code_1].",
    language="en",
    epoch=0,
    deadline=datetime(2026, 11, 28, tzinfo=UTC) + timedelta(minutes=1),
    history=(
        HistoryTurn(speaker="customer", text="I am [name_1]"),
        HistoryTurn(speaker="bot", text="[iban_9] is not yours"),
    ),
    passages=(),
)


def test_without_a_vault_none_may_be_quoted() -> None:
    assert quotable_of(ASKED, CONFIG) == frozenset()


def test_with_one_those_that_the_customer_wrote_but_no_codes() -> None:
    config = CONFIG.model_copy(update={"privacy": Privacy(vault=True)})
    assert quotable_of(ASKED, config) == {"[phone_1]", "[contract_2]", "[name_1]"}
