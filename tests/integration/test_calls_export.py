"""`parley calls export` and `parley calls key` on real conversations: all workers, a hand-off, a call, and what our own importer makes of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import load_pem_x509_certificate
from typer.testing import CliRunner

from connectors.calls.book import CallBook
from connectors.calls.formats import read
from connectors.calls.transcript import Prior, Transcript
from connectors.calls.vcon.jws import Trust
from connectors.calls.vcon.writing import child_id, parent_id
from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.cli import calls_export, calls_key
from parley.cli.main import app
from parley.domain.masking import masker_of
from parley.domain.rights import Owner
from parley.errors import ConfigurationError
from parley.ports.store import AuditEntry, Store
from parley.runtime.vault import Writing
from parley.settings import Settings
from schemas.base import Body, ConversationId, CustomerId, MessageId, TenantId
from schemas.call_events import CallProgressed, TranscriptImported, TranscriptTurn
from schemas.conversation_events import (
    AgentMessageSubmitted,
    CloseRequested,
    ConversationStarted,
    MessageReceived,
)
from schemas.other_events import FeedbackGiven, PresenceChanged
from schemas.outbound import AgentMessage, Closed, OwnerChanged
from schemas.privacy import Privacy
from tests.contract.test_store import conversation as row
from tests.integration.test_commands import Command, one_line
from tests.integration.test_commands import parley as parley
from tests.support import call_files
from tests.support.platform import WAIT_S, events_on, make_platform, replies, send, settled
from tests.support.small_tenant import CONFIG, CONTENT, TENANT
from tests.support.stories import event
from tests.support.vcon import problems
from workers.embedded import Embedded
from workers.wiring import Platform

KEPT = "fedcba9876543210"
"""The version of the small tenant that keeps what it masks."""
CARD = "4111 1111 1111 1111"
REASON = "complaint 4711"

Run = Callable[..., Any]


BOTH = pytest.mark.parametrize("opened", ["memory", "sqlite"], indirect=True)


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    settings = Settings(home=tmp_path / "home")
    settings.ensure_home()
    store: Store = MemoryStore()
    bus_url = "memory:"
    if getattr(request, "param", "memory") == "sqlite":
        upgrade_store(settings.database)
        store, bus_url = open_store(settings.database), settings.bus
    platform = make_platform(open_bus(bus_url), store, settings=settings)
    platform.store.put(
        KEPT, CONFIG.model_copy(update={"privacy": Privacy(vault=True)}), CONTENT, datetime.now(UTC)
    )
    yield platform
    platform.close()


@pytest.fixture
def working(opened: Platform) -> Iterator[Platform]:
    """With all workers."""
    embedded = Embedded(opened)
    embedded.start()
    yield opened
    embedded.stop()
    assert embedded.failed is None


@pytest.fixture
def run(opened: Platform, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of `parley calls` on the open platform; returns what click tells of it."""
    for module in (calls_export, calls_key):
        monkeypatch.setattr(module, "platform", lambda: nullcontext(opened))

    def run(*args: str) -> Any:
        return CliRunner().invoke(app, ["calls", *args])

    return run


def done(result: Any) -> Any:
    if result.exception is not None:
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def told(result: Any, words: str) -> None:
    assert isinstance(result.exception, ConfigurationError), result.output
    assert words in str(result.exception)


def say(platform: Platform, body: Body, name: str, at: datetime, conversation: str = "c-1") -> None:
    """Under the tenant's version that keeps what it masks."""
    made = event(body, name, at=at, conversation=conversation)
    send(platform, replace(made, envelope=made.envelope.model_copy(update={"tenant_version": KEPT})))


def write(platform: Platform, text: str, name: str, at: datetime, conversation: str = "c-1") -> None:
    """As a door does: masked, originals stored, and only then on the log."""
    owner = Owner(TENANT, CustomerId(f"customer-of-{conversation}"), ConversationId(conversation))
    privacy = Privacy(vault=True)
    masked = platform.vault.write(Writing(owner, name, privacy, at), masker_of(privacy.patterns).find(text))
    say(
        platform,
        MessageReceived(message_id=MessageId(name), text=masked.text, channel="web"),
        name,
        at,
        conversation,
    )


def until(holds: Callable[[], Any]) -> Any:
    end = monotonic() + WAIT_S
    while not (found := holds()):
        assert monotonic() < end
        sleep(0.02)
    return found


def outbound(platform: Platform, kind: type[Body]) -> list[Any]:
    return [each.body for each in events_on(platform, "chat.outbound") if isinstance(each.body, kind)]


def handed_over(platform: Platform) -> None:
    """The bot answers, a dispute goes to Mei, who says something; the customer closes, and rates the bot's answer."""
    now = datetime.now(UTC)
    send(platform, event(PresenceChanged(human_agent_id="mei", human_agent_name="Mei", capacity=2), at=now))
    say(platform, ConversationStarted(channel="web", language="en"), "start", now)
    write(platform, "What does the account cost?", "m-1", now)
    settled(platform, "m-1")
    write(platform, f"I do not recognise a payment with my card {CARD}", "m-2", datetime.now(UTC))
    until(lambda: [each for each in outbound(platform, OwnerChanged) if each.owner == "human"])
    settled(platform, "m-1", "m-2")
    later = datetime.now(UTC)
    words = AgentMessageSubmitted(message_id=MessageId("a-1"), human_agent_id="mei", text="I see [card_1].")
    say(platform, words, "a-1", later)
    until(lambda: outbound(platform, AgentMessage))
    say(platform, CloseRequested(by="customer"), "close", later)
    until(lambda: outbound(platform, Closed))
    given = FeedbackGiven(reply_id=replies(platform)["m-1"].reply_id, score=1, comment="quick")
    say(platform, given, "feedback", later)
    until(lambda: platform.store.feedback(ConversationId("c-1")))


def imported(data: bytes, **trust: Any) -> Transcript:
    (call,) = read(data, trust=Trust(**trust))
    return call


@BOTH
def test_a_chat_with_a_hand_off_leaves_as_a_vcon_and_comes_back(
    working: Platform, run: Run, tmp_path: Path
) -> None:
    handed_over(working)
    summary = json.loads(done(run("export", "c-1", "-o", str(tmp_path / "out"), "--json")).stdout)
    assert (summary["exported"], summary["skipped"]) == (1, [])
    file = tmp_path / "out" / "c-1.vcon.json"
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_bytes())
    assert [each.get("name") for each in document["parties"]] == [None, "Helper", "Queue", "Mei"]
    transfers = [each for each in document["dialog"] if each["type"] == "transfer"]
    assert [(each["transferor"], each["transfer_target"]) for each in transfers] == [(1, 2), (2, 3)]
    assert {each["application"] for each in document["dialog"] if each["type"] == "text"} == {"web"}
    kinds = {each["type"] for each in document["analysis"]}
    assert kinds == {"provenance", "settlements", "feedback"}
    [verdict] = [each for each in document["analysis"] if each["type"] == "feedback"]
    assert verdict["body"]["comment"] == "quick" and document["dialog"][verdict["dialog"]]["parties"][0] == 1
    back = imported(file.read_bytes())
    customer = [turn.original for turn in back.turns if turn.speaker == "customer"]
    assert customer == ["What does the account cost?", "I do not recognise a payment with my card [card_1]"]
    mei = [turn.original for turn in back.turns if back.parties[turn.party].name == "Mei"]
    assert mei == ["I see [card_1]."]
    assert [each.kind for each in back.events] == ["transfer", "transfer", "hang_up"]
    assert file.read_bytes() == done(run("export", "c-1")).stdout_bytes, "the same again to standard output"


def test_the_masked_child_names_the_parent_that_has_the_values(
    working: Platform, run: Run, tmp_path: Path
) -> None:
    handed_over(working)
    child = json.loads(done(run("export", "c-1")).stdout)
    unmasked = ("export", "c-1", "--unmasked", "--reason", REASON)
    parent = json.loads(done(run(*unmasked)).stdout)
    assert child["uuid"] == child_id(TENANT, ConversationId("c-1"))
    assert child["redacted"]["uuid"] == parent["uuid"] == parent_id(TENANT, ConversationId("c-1"))
    assert "redacted" not in parent
    said = [each["body"] for each in parent["dialog"] if each["type"] == "text"]
    assert f"I do not recognise a payment with my card {CARD}" in said and f"I see {CARD}." in said
    assert CARD not in json.dumps(child) and "[card_1]" in json.dumps(child)
    audit = [each for each in working.store.noted(TENANT) if each.action.startswith("calls.")]
    assert [each.action for each in audit] == ["calls.export", "calls.unmask", "calls.export"]
    assert audit[1].customer_id == "customer-of-c-1" and audit[1].actor.startswith("cli:")
    assert audit[1].details == {"conversation": "c-1", "reason": REASON}


def test_nothing_is_unmasked_that_the_audit_log_cannot_tell_of(
    working: Platform, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over(working)

    def refuse(entry: AuditEntry) -> None:
        raise ConfigurationError("the audit log is full")

    monkeypatch.setattr(working.store, "note", refuse)
    result = run("export", "c-1", "--unmasked", "--reason", REASON, "-o", str(tmp_path / "one.json"))
    told(result, "the audit log is full")
    assert list(tmp_path.glob("one*")) == [] and CARD not in result.output


def test_a_value_whose_term_is_over_stays_masked_in_the_parent(opened: Platform, run: Run) -> None:
    past = datetime.now(UTC) - timedelta(days=40)
    embedded = Embedded(opened)
    embedded.start()
    write(opened, f"I do not recognise a payment with {CARD}", "m-1", past)
    settled(opened, "m-1")
    embedded.stop()
    parent = json.loads(done(run("export", "c-1", "--unmasked", "--reason", REASON)).stdout)
    assert "[card_1]" in json.dumps(parent) and CARD not in json.dumps(parent)


def test_signed_with_the_tenants_key_and_verified_by_its_certificate(
    working: Platform, run: Run, tmp_path: Path
) -> None:
    handed_over(working)
    told(run("export", "c-1", "--sign"), "`parley calls key bank` makes one")
    made = json.loads(done(run("key", "bank", "--json")).stdout)
    certificate = load_pem_x509_certificate(Path(made["certificate"]).read_bytes())
    assert made["sha256"].replace(":", "").lower() == certificate.fingerprint(hashes.SHA256()).hex()
    assert Path(made["certificate"]).parent == working.settings.vcon_keys_dir
    told(run("key", "bank"), "is there already; allowed: --replace")
    file = tmp_path / "signed.vcon"
    done(run("export", "c-1", "--sign", "-o", str(file)))
    document = json.loads(file.read_bytes())
    assert set(document) == {"payload", "signatures"}
    back = imported(file.read_bytes(), roots=[certificate])
    assert back.signature is not None and back.signature.verified
    assert back.signature.signer == "CN=bank conversations,O=Test Bank"
    plain = imported(done(run("export", "c-1")).stdout_bytes)
    assert (back.turns, back.events, back.call_id) == (plain.turns, plain.events, plain.call_id)
    assert document["signatures"][0]["header"]["uuid"] == plain.call_id


def test_what_leaves_is_valid_by_the_working_groups_schema(working: Platform, run: Run) -> None:
    handed_over(working)
    child = json.loads(done(run("export", "c-1")).stdout)
    parent = json.loads(done(run("export", "c-1", "--unmasked", "--reason", REASON)).stdout)
    assert [problems(child), problems(parent)] == [[], []]


def test_an_imported_call_comes_back_with_its_turns_speakers_and_times(working: Platform, run: Run) -> None:
    """Through the call worker and the dialogue worker, a year after it was had."""
    began = datetime(2025, 11, 3, 9, 30, tzinfo=UTC)
    turns = (
        TranscriptTurn(speaker="human_agent", text="Good morning.", start_ms=0, end_ms=1_500, name="Mei"),
        TranscriptTurn(
            speaker="customer",
            text="I lost my card.",
            start_ms=1_400,
            end_ms=3_250,
            original="Um I lost my, my card.",
            confidence=0.75,
        ),
        TranscriptTurn(speaker="human_agent", text="Ana here.", start_ms=8_000, end_ms=9_000, name="Ana"),
    )
    events = (
        CallProgressed(kind="hold", at_ms=4_000, by="human_agent"),
        CallProgressed(kind="resumed", at_ms=6_000, by="human_agent"),
        CallProgressed(kind="transfer", at_ms=7_000, human_agent_id="ana", human_agent_name="Ana"),
        CallProgressed(kind="hang_up", at_ms=9_500, by="customer"),
    )
    body = TranscriptImported(
        call_id="call-7",
        source="vcon",
        turns=turns,
        started_at=began,
        language="en",
        human_agent_id="mei",
        human_agent_name="Mei",
        events=events,
    )
    say(working, body, "call", datetime.now(UTC), "call-7")
    until(lambda: outbound(working, Closed))
    data = done(run("export", "--tenant", "bank", "--channel", "call")).stdout_bytes
    document = json.loads(data)
    back = imported(data)
    assert back.started_at == began and back.redacted
    found = [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in back.turns]
    assert found == [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in turns]
    assert [back.parties[turn.party].name for turn in back.turns] == ["Mei", None, "Ana"]
    happened = [(each.kind, each.at_ms) for each in back.events]
    assert happened == [("hold", 4_000), ("resumed", 6_000), ("transfer", 7_000), ("hang_up", 9_500)]
    [heard] = [each for each in document["analysis"] if each["type"] == "transcript"]
    assert (heard["body"][0]["text"], heard["body"][0]["confidence"]) == ("Um I lost my, my card.", 0.75)
    assert document["dialog"][heard["dialog"]]["body"] == "I lost my card."


@pytest.mark.parametrize("vault", [True, False])
def test_a_call_that_came_redacted_leaves_redacted_masked_or_not(
    working: Platform, run: Run, vault: bool
) -> None:
    """Through the door, the call worker, the dialogue worker and the history."""
    if not vault:
        working.store.put("0" * 16, CONFIG, CONTENT, datetime.now(UTC))
    named = {"uuid": "019f15a6-a752-826f-b9a2-279e0d16bc46", "type": "PII Redaction"}
    book = CallBook(working, TenantId(TENANT))
    [call] = read(json.dumps({**call_files.VCON, "redacted": named}).encode())
    book.take(call)
    book.close()
    until(lambda: outbound(working, Closed))
    child = json.loads(done(run("export", "--tenant", "bank")).stdout)
    if not vault:
        assert child["redacted"] == {**named, "type": "PII masked; PII Redaction"}
        return
    parent = json.loads(done(run("export", "--tenant", "bank", "--unmasked", "--reason", REASON)).stdout)
    assert parent["redacted"] == named and child["redacted"]["uuid"] == parent["uuid"]
    assert imported(json.dumps(parent).encode()).redacted_of == Prior(named["uuid"], named["type"])


def test_an_erased_customer_is_told_of_and_left_out(opened: Platform, run: Run, tmp_path: Path) -> None:
    embedded = Embedded(opened)
    embedded.start()
    now = datetime.now(UTC)
    write(opened, "hello", "m-1", now, "c-1")
    write(opened, "hello", "m-2", now, "c-2")
    settled(opened, "m-1", "m-2")
    embedded.stop()
    done(run("export", "--all", "-o", str(tmp_path / "both.jsonl")))
    both = read((tmp_path / "both.jsonl").read_bytes())
    assert [call.turns[0].original for call in both] == ["hello", "hello"], "lines are read back, too"
    opened.keys.erase(TENANT, CustomerId("customer-of-c-1"))
    result = done(run("export", "--all", "-o", str(tmp_path / "out"), "--json"))
    assert "c-1 is left out: its customer was erased" in result.stderr
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["c-2.vcon.json"]
    summary = json.loads(result.stdout)
    assert summary["exported"] == 1
    assert summary["skipped"] == [{"conversation": "c-1", "reason": "its customer was erased"}]
    opened.store.purge([(TENANT, CustomerId("customer-of-c-1"))])
    told(run("export", "c-2", "c-1"), "CONVERSATION: there is no conversation 'c-1'")


@BOTH
def test_all_of_a_tenant_in_pages_as_lines_of_one_file(opened: Platform, run: Run, tmp_path: Path) -> None:
    """More than two pages; each once, and only what was asked for."""
    rows = [row(f"c-{number:04}", minutes=number) for number in range(1_100)]
    rows += [replace(row("call-1"), channel="call"), row("other", "mobile")]
    opened.store.rewrite([], [], rows)
    file = tmp_path / "all.jsonl"
    done(run("export", "--tenant", "bank", "--channel", "web", "-o", str(file)))
    documents = [json.loads(line) for line in file.read_bytes().splitlines()]
    expected = [child_id(TENANT, each.conversation_id) for each in rows[:1_100]]
    assert [each["uuid"] for each in documents] == expected
    assert list(tmp_path.glob("*.part")) == []
    since = done(run("export", "--tenant", "bank", "--since", "2026-11-24T03:18:00"))
    assert len(since.stdout.splitlines()) == 2, "what happened in the 1,098th minute after nine and later"


def test_an_export_that_fails_leaves_no_half_of_a_file(
    opened: Platform, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.store.rewrite([], [], [row("a"), row("b")])
    file = tmp_path / "all.jsonl"
    file.write_text("what was there before")
    read_before = opened.store.history

    def broken(conversation_id: ConversationId, **page: Any) -> Any:
        if conversation_id == "b":
            raise ConfigurationError("the disk is gone")
        return read_before(conversation_id, **page)

    monkeypatch.setattr(opened.store, "history", broken)
    told(run("export", "--tenant", "bank", "-o", str(file)), "the disk is gone")
    assert file.read_text() == "what was there before" and list(tmp_path.glob("*.part")) == []
    assert [each.details["conversations"] for each in opened.store.noted(TENANT)] == [1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "CONVERSATION: none is named; allowed: ids, --tenant for all of a tenant's, or --all"),
        (("--since", "2026-01-01"), "CONVERSATION: none is named"),
        (
            ("c-9",),
            "CONVERSATION: there is no conversation 'c-9'; allowed: the id of one that was not erased",
        ),
        (("c-1", "--all"), "--all: chooses among all; allowed: either it or CONVERSATIONs"),
        (("c-1", "--channel", "web"), "--channel: chooses among all"),
        (("--all", "-t", "bank"), "--all: is every tenant's; allowed: either it or --tenant"),
        (("-t", "shop"), "--tenant: 'shop' was never imported"),
        (
            ("c-1", "--unmasked"),
            "--reason: is needed with --unmasked; allowed: 1 to 200 characters in one line",
        ),
        (("c-1", "--unmasked", "--reason", " \n"), "--reason: is needed with --unmasked"),
        (("c-1", "--unmasked", "--reason", "a\nb"), "--reason: is needed with --unmasked"),
        (("c-1", "--reason", "x"), "--reason: belongs to --unmasked; allowed: both or neither"),
        (("c-1", "--sign"), "bank.key; `parley calls key bank` makes one"),
        (("c-1", "-o", "/proc/nowhere/x"), "--out: cannot make /proc/nowhere/x"),
        (("c-1", "-o", "/proc/nowhere.json"), "cannot write to /proc/nowhere.json"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    opened: Platform, run: Run, arguments: tuple[str, ...], words: str
) -> None:
    opened.store.rewrite([], [], [row("c-1")])
    told(run("export", *arguments), words)


def test_a_tenant_without_a_vault_has_nothing_to_unmask(opened: Platform, run: Run) -> None:
    opened.store.put("a" * 16, CONFIG, CONTENT, datetime.now(UTC))
    opened.store.rewrite([], [], [row("c-1")])
    result = run("export", "c-1", "--unmasked", "--reason", REASON)
    told(result, "--unmasked: bank keeps no masked values; allowed: tenants with `privacy: {vault: true}`")
    assert opened.store.noted() == []
    assert json.loads(done(run("export", "c-1")).stdout)["redacted"] == {"type": "PII masked"}


def test_what_people_get_to_read(parley: Command) -> None:
    """The program itself, in an empty home: one line for what is wrong, and help for each command."""
    assert parley("db", "upgrade")[0] == 0
    one_line(parley("calls", "export", "c-1"), "CONVERSATION: there is no conversation 'c-1'")
    one_line(parley("calls", "key", "bank"), "TENANT: 'bank' was never imported; allowed: none yet")
    for name in ("export", "key"):
        code, out, _ = parley("calls", name, "--help")
        assert code == 0 and "Usage:" in out
