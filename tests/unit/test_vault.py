"""The vault: one placeholder a value and conversation, originals sealed, bound, expiring, and put back by right only."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.backends.memory_store import MemoryStore
from parley.codec import Codec
from parley.domain.masking import Masked, Masker
from parley.domain.rights import CustomerRight, HumanAgentRight, OperatorRight, Owner
from parley.errors import KeyErased
from parley.ports.vault import MaskedValue
from parley.runtime.tidying import tidy
from parley.runtime.vault import Vault, Writing
from schemas.base import ConversationId, CustomerId, TenantId
from schemas.privacy import Privacy
from tests.support.platform import DictKeys

NINE = datetime(2026, 11, 28, 9, tzinfo=UTC)
BANK, SHOP = TenantId("bank"), TenantId("shop")
ANNA = Owner(BANK, CustomerId("anna"), ConversationId("c-1"))
BEN = Owner(BANK, CustomerId("ben"), ConversationId("c-2"))
OPEN, SHUT = Privacy(vault=True, vault_days=30), Privacy()
CARD, OTHER = "4111 1111 1111 1111", "5555 5555 5555 4444"
MASKER = Masker()


class Setting:
    """A vault with all that is behind it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.keys = DictKeys()
        self.vault = Vault(self.store, Codec(self.keys))

    def write(
        self,
        text: str,
        owner: Owner = ANNA,
        privacy: Privacy = OPEN,
        source: str = "m-1",
        at: datetime = NINE,
    ) -> str:
        return self.vault.write(Writing(owner, source, privacy, at), MASKER.find(text)).text

    def read(self, text: str, owner: Owner = ANNA, at: datetime = NINE) -> str:
        return self.vault.reveal(CustomerRight(owner), owner, [text], at)[0]


@pytest.fixture
def at() -> Setting:
    return Setting()


@pytest.mark.parametrize("privacy", [OPEN, SHUT], ids=["kept", "not kept"])
def test_a_value_has_one_placeholder_in_its_conversation(at: Setting, privacy: Privacy) -> None:
    assert at.write(f"card {CARD}", privacy=privacy) == "card [card_1]"
    assert at.write(f"and {OTHER}", privacy=privacy) == "and [card_2]"
    assert at.write(f"not {OTHER} but 4111-1111-1111-1111", privacy=privacy) == "not [card_2] but [card_1]"
    assert at.write(f"mine: {OTHER}", owner=BEN, privacy=privacy) == "mine: [card_1]"
    assert at.write("nothing", privacy=privacy) == "nothing"


def test_several_doors_number_in_one_conversation(at: Setting) -> None:
    """Each remembers what it read; what it does not know of may be the other's."""
    other = Setting()
    other.store, other.vault = at.store, Vault(at.store, Codec(at.keys))
    assert at.write(f"card {CARD}") == "card [card_1]"
    assert other.write(f"card {OTHER}") == "card [card_2]"
    assert at.write(f"{CARD} {OTHER}") == "[card_1] [card_2]"
    assert other.write(f"{OTHER} {CARD}") == "[card_2] [card_1]"


def test_who_jumps_a_number_looks_again_whose_it_is(at: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another door stores the same value between this one's look and its write, under the number that a text here has already."""
    other, values = Setting(), at.store.values
    other.store, other.vault = at.store, Vault(at.store, Codec(at.keys))

    def overtaken(conversation_id: ConversationId) -> list[MaskedValue]:
        rows = values(conversation_id)
        monkeypatch.setattr(at.store, "values", values)
        other.write(f"card {CARD}")
        return rows

    monkeypatch.setattr(at.store, "values", overtaken)
    assert at.write(f"[card_1] {CARD}") == "[card_1] [card_1]"
    assert at.vault.recall(Writing(ANNA, "m-2", OPEN, NINE), MASKER.find(CARD)) == Masked(
        "[card_1]", ("card",)
    )


def test_what_is_recalled_is_let_go_of(at: Setting) -> None:
    writing, card = Writing(ANNA, "m-1", OPEN, NINE), MASKER.find(f"card {CARD}")
    at.write(f"card {CARD}")
    at.vault.forget()
    assert at.vault.recall(writing, card) is None
    assert at.write(f"card {CARD}") == "card [card_1]"


def test_what_was_written_is_recalled_without_the_store(at: Setting) -> None:
    writing, card = Writing(ANNA, "m-1", OPEN, NINE), MASKER.find(f"card {CARD}")
    assert at.vault.recall(writing, card) is None
    at.write(f"{OTHER} {CARD}")
    recalled = at.vault.recall(writing, card)
    assert recalled == Masked("card [card_2]", ("card",))
    assert at.vault.recall(writing, MASKER.find(f"{CARD} +442079460011")) is None
    assert at.vault.recall(replace(writing, owner=BEN), card) is None
    assert at.vault.recall(writing, MASKER.find("nothing")) == Masked("nothing")


def test_nothing_is_recalled_whose_original_has_to_be_kept_again(at: Setting) -> None:
    card, later = MASKER.find(f"card {CARD}"), NINE + timedelta(days=31)
    at.write(f"card {CARD}", privacy=SHUT)
    assert at.vault.recall(Writing(ANNA, "m-2", SHUT, NINE), card) is not None
    assert at.vault.recall(Writing(ANNA, "m-2", OPEN, NINE), card) is None
    at.write(f"card {CARD}", privacy=OPEN)
    assert at.vault.recall(Writing(ANNA, "m-3", OPEN, NINE), card) is not None
    assert at.vault.recall(Writing(ANNA, "m-3", OPEN, later), card) is None
    assert at.vault.recall(Writing(ANNA, "m-3", SHUT, later), card) is not None


def test_what_a_text_brings_along_is_not_taken_for_another_value(at: Setting) -> None:
    at.write(f"card {CARD}")
    assert at.write(f"[card_1] or [card_4] or {OTHER}") == "[card_1] or [card_4] or [card_5]"


def test_without_a_vault_nothing_is_kept_and_nothing_comes_back(at: Setting) -> None:
    text = at.write(f"card {CARD}", privacy=SHUT)
    assert at.read(text) == text
    [row] = at.store.values(ANNA.conversation_id)
    assert row.sealed is None and row.expires_at is None


def test_a_customer_reads_what_they_wrote_as_they_wrote_it(at: Setting) -> None:
    text = at.write(f"card {CARD}, phone +353 87 123 4567, mail Anna@Example.org")
    assert text == "card [card_1], phone [phone_1], mail [email_1]"
    assert at.read(text) == f"card {CARD}, phone +353 87 123 4567, mail Anna@Example.org"
    assert (
        at.read("Your [card_1] and [card_2], [1] and [name_1]")
        == f"Your {CARD} and [card_2], [1] and [name_1]"
    )


def test_no_code_is_ever_kept(at: Setting) -> None:
    text = at.write("my PIN is 4321 and my password is Sunflower!29")
    assert text == "my PIN is [code_1] and my password is [code_2]"
    assert at.read(text) == text
    assert {row.sealed for row in at.store.values(ANNA.conversation_id)} == {None}


def test_nobody_elses_placeholder_resolves(at: Setting) -> None:
    text = at.write(f"card {CARD}")
    at.write(f"card {OTHER}", owner=BEN)
    assert at.read(text, owner=BEN) == f"card {OTHER}"
    for stranger in (
        replace(ANNA, tenant=SHOP),
        replace(ANNA, customer_id=BEN.customer_id),
        replace(ANNA, conversation_id=ConversationId("c-3")),
    ):
        assert at.read(text, owner=stranger) == text
        assert at.vault.reveal(CustomerRight(stranger), ANNA, [text], NINE) == [text]


@pytest.mark.parametrize(
    ("right", "reads"),
    [
        (HumanAgentRight(BANK, "h-1", may_reveal=True), True),
        (HumanAgentRight(BANK, "h-1", may_reveal=False), False),
        (HumanAgentRight(SHOP, "h-1", may_reveal=True), False),
    ],
)
def test_a_human_agent_reads_originals_only_by_right(
    at: Setting, right: HumanAgentRight, *, reads: bool
) -> None:
    text = at.write(f"card {CARD}")
    assert at.vault.reveal(right, ANNA, [text], NINE) == [f"card {CARD}" if reads else text]


@pytest.mark.parametrize(
    ("right", "reads"),
    [
        (OperatorRight(BANK, "cli:ops", "complaint 4711"), True),
        (OperatorRight(BANK, "cli:ops", " "), False),
        (OperatorRight(SHOP, "cli:ops", "complaint 4711"), False),
    ],
)
def test_an_operator_reads_originals_only_for_a_reason(
    at: Setting, caplog: pytest.LogCaptureFixture, right: OperatorRight, *, reads: bool
) -> None:
    caplog.set_level(logging.INFO)
    text = at.write(f"card {CARD}")
    assert at.vault.reveal(right, ANNA, [text], NINE) == [f"card {CARD}" if reads else text]
    assert ("vault: [card_1] of c-1 read by cli:ops" in caplog.text) is reads
    assert CARD not in caplog.text and "4711" not in caplog.text


def test_a_sealed_original_opens_nowhere_else(at: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever can write to the table moves it: to another placeholder, message, conversation, customer, tenant."""
    text = at.write(f"card {CARD}")
    [row] = at.store.values(ANNA.conversation_id)
    moved = [
        (replace(row, number=2), ANNA),
        (replace(row, source="m-2"), ANNA),
        (replace(row, kind="phone"), ANNA),
        (
            replace(row, conversation_id=ConversationId("c-9")),
            replace(ANNA, conversation_id=ConversationId("c-9")),
        ),
        (replace(row, customer_id=BEN.customer_id), replace(ANNA, customer_id=BEN.customer_id)),
        (replace(row, tenant=SHOP), replace(ANNA, tenant=SHOP)),
    ]
    for other, owner in moved:
        at.store.replace_values([other])
        written = f"[{other.kind}_{other.number}]"
        assert at.read(written, owner=owner) == written
        at.store.replace_values([row])
    assert at.read(text) == f"card {CARD}"
    assert CARD not in caplog.text


def test_after_the_key_is_erased_nothing_resolves_and_nothing_can_be_written(at: Setting) -> None:
    text = at.write(f"card {CARD}")
    at.keys.erase(BANK, ANNA.customer_id)
    assert at.read(text) == text
    assert at.vault.reveal(HumanAgentRight(BANK, "h-1", may_reveal=True), ANNA, [text], NINE) == [text]
    with pytest.raises(KeyErased):
        at.write(f"again {CARD}")


def test_originals_go_when_their_term_is_over_and_placeholders_stay(at: Setting) -> None:
    text = at.write(f"card {CARD}")
    over = NINE + timedelta(days=30)
    assert at.read(text, at=over - timedelta(seconds=1)) == f"card {CARD}"
    assert at.read(text, at=over) == text  # also where nobody has tidied yet
    assert tidy(at.store, over).originals == 0
    assert tidy(at.store, over + timedelta(seconds=1)).originals == 1
    assert {row.sealed for row in at.store.values(ANNA.conversation_id)} == {None}
    assert at.write(f"card {CARD}", privacy=SHUT, at=over) == "card [card_1]"


def test_a_value_that_is_written_again_is_kept_again(at: Setting) -> None:
    at.write(f"card {CARD}", privacy=SHUT)
    assert at.write(f"card {CARD}", source="m-2") == "card [card_1]"
    assert at.read("[card_1]") == CARD
    later = NINE + timedelta(days=31)
    assert at.read("[card_1]", at=later) == "[card_1]"
    at.write(f"card {CARD}", source="m-3", at=later)
    assert at.read("[card_1]", at=later) == CARD


def test_no_more_than_ids_and_placeholders_is_logged(at: Setting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    text = at.write(f"card {CARD}, mail anna@example.org")
    at.read(text)
    assert "read by" not in caplog.text
    at.vault.reveal(HumanAgentRight(BANK, "h-1", may_reveal=True), ANNA, [text], NINE)
    assert "[card_1], [email_1] of c-1 read by h-1" in caplog.text
    assert "4111" not in caplog.text and "anna@" not in caplog.text


def test_what_lies_in_the_store_tells_nothing_of_a_value(at: Setting) -> None:
    at.write(f"card {CARD}")
    at.write(f"card {CARD}", owner=BEN)
    [hers], [his] = (at.store.values(owner.conversation_id) for owner in (ANNA, BEN))
    assert hers.digest != his.digest and hers.sealed != his.sealed
    assert b"4111" not in hers.digest + (hers.sealed or b"")


def test_many_who_write_at_once_share_no_placeholder(at: Setting) -> None:
    phones = [f"+353 87 123 45{number:02d}" for number in range(12)]
    begin, written = Barrier(len(phones)), dict[str, str]()

    def write(phone: str) -> None:
        begin.wait()
        written[phone] = at.write(f"call {phone}")

    threads = [Thread(target=write, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(written.values())) == len(phones)
    assert all(at.read(text) == f"call {phone}" for phone, text in written.items())


PIECES = st.sampled_from(
    [CARD, OTHER, "a@example.org", "PIN 4321", "[card_1]", "[name_7]", "hello", "+353 87 123 4567"]
)


@given(st.lists(st.lists(PIECES, min_size=1, max_size=5).map(", ".join), min_size=1, max_size=4))
def test_what_a_conversation_kept_comes_back_and_nothing_else_changes(texts: list[str]) -> None:
    at = Setting()
    masked = [at.write(text, source=f"m-{number}") for number, text in enumerate(texts)]
    assert [at.write(text) for text in texts] == masked  # a repeat is the same text
    for text, written in zip(texts, masked, strict=True):
        if "PIN" not in text and "[" not in text:
            assert at.read(written) == text
        assert "4321" not in at.read(written)
