"""Lines and captions that begin with who speaks, in the many ways in which people and tools write that: no words are lost, and nobody's are given to another."""

from datetime import UTC, datetime

import pytest

from connectors.calls.formats import read
from connectors.calls.transcript import Transcript, TranscriptRefused

Told = list[tuple[str, str, int]]


def one(text: str, form: str | None = None) -> Transcript:
    (call,) = read(text.encode(), form=form)
    return call


def told(call: Transcript) -> Told:
    """Who speaks, by label, what, and when."""
    return [(call.parties[turn.party].label, turn.original, turn.start_ms) for turn in call.turns]


def sides(call: Transcript) -> dict[str, str]:
    return {party.label: party.speaker for party in call.parties}


CALL: Told = [("Agent", "Hello", 5_000), ("Customer", "Lost it", 9_000)]
WAYS = {
    "a span": "[00:00:05 - 00:00:08] Agent: Hello\n[00:00:09 - 00:00:11] Customer: Lost it",
    "microseconds": "00:00:05.000123 Agent: Hello\n00:00:09.000456 Customer: Lost it",
    "a time beside the label": "Agent 0:05\nHello\n\nCustomer 0:09\nLost it",
    "two blanks": "Agent  00:00:05\nHello\nCustomer  00:00:09\nLost it",
    "a time before the label": "00:00:05 Agent\nHello\n00:00:09 Customer\nLost it",
    "a time in brackets beside it": "Agent [0:05]\nHello\nCustomer [0:09]\nLost it",
    "words behind a time": "Agent 0:05 Hello\nCustomer 0:09 Lost it",
    "a time on its own line": "00:00:05\nAgent: Hello\n00:00:09\nCustomer: Lost it",
    "a label in brackets": "[0:05] [Agent] Hello\n[0:09] [Customer] Lost it",
    "a time behind a label in brackets": "[Agent] 0:05 Hello\n[Customer] 0:09 Lost it",
    "arrows": "0:05 | >> Agent: Hello\n0:09 | >> Customer: Lost it",
    "bullets": "- [0:05] Agent: Hello\n- [0:09] Customer: Lost it",
    "numbers": "1. [0:05] Agent: Hello\n2. [0:09] Customer: Lost it",
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_writing_a_line(way: str) -> None:
    assert told(one(WAYS[way])) == CALL


@pytest.mark.parametrize("text", ["[Agent] Hello\n[Customer] Lost it", "(Agent) Hello\n(Customer) Lost it"])
def test_labels_in_brackets_and_marks_of_noise(text: str) -> None:
    assert told(one(text)) == [("Agent", "Hello", 0), ("Customer", "Lost it", 0)]
    noisy = one(f"{text}\n[inaudible] and so on\n[inaudible]\n[PII] is it\n[PII] too")
    assert told(noisy)[1] == (
        "Customer",
        "Lost it\n[inaudible] and so on\n[inaudible]\n[PII] is it\n[PII] too",
        0,
    )


def test_labels_that_begin_with_a_digit() -> None:
    assert told(one("1号坐席：您好\n客户：卡丢了\n1号坐席：好的\n3点前：可以")) == [
        ("1号坐席", "您好", 0),
        ("客户", "卡丢了", 0),
        ("1号坐席", "好的\n3点前：可以", 0),
    ]
    assert told(one("10086客服：您好\n客户：卡丢了"))[0] == ("10086客服", "您好", 0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[-00:00:05] Agent: hi\n[00:00:01] Customer: card", "line 1: a time must not be negative"),
        ("Agent: hi\n-00:00:05 Customer: card", "line 2: a time must not be negative"),
        ("[00:61:00] Agent: hi", "line 1: a time must read like"),
        ("Agent: hi\n[00:00:05:12] Customer: card", "line 2: a time must read like"),
        ("13:00 PM Agent: hi", "line 1: the time of a day must read like 09:30:05 AM"),
        ("2026-03-01 24:00:00 Agent: hi", "line 1: the time of a day must read like 21:30:05"),
        ("2026-02-30 09:00 Agent: hi", "line 1: a date must read like 2026-03-01"),
        ("2026-03-01 09:00:00+24:00 Agent: hi", r"line 1: a zone must read like \+01:00"),
        ("0001-01-01 00:00:00+01:00 Agent: hi", "started_at: a time at the ends of the calendar"),
        ("[00:01] Welcome\n[00:05] Agent: hi", "line 1: a time and nobody known who speaks, before line 2"),
        ("00:01 Welcome all\n00:05 Agent: hi", "line 1: a time and nobody known who speaks, before line 2"),
    ],
)
def test_no_line_with_a_time_is_lost(text: str, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(text, "text")


def test_a_date_is_a_title() -> None:
    assert len(one("2026-03-01 09:30 Call with the bank\n00:05 Agent: hi\n00:06 Customer: ho").turns) == 2


def test_a_text_in_brackets_is_no_broken_json() -> None:
    for text in ("[00:01] hello\n[00:02] there", "[Somebody hello\nthere"):
        with pytest.raises(TranscriptRefused, match="no line names a speaker; lines must begin"):
            one(text)
    for text in ('[{"speaker": ', '["a", ', "[[", "{"):
        with pytest.raises(TranscriptRefused, match="the file is no JSON"):
            one(text)


# -- times of a day -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "passed"),
    [
        ("09:30:05", "09:30:09", 4_000),
        ("23:59:58", "00:00:04", 6_000),
        ("11:59:58 AM", "12:00:04 PM", 6_000),
        ("11:59:58 p.m.", "12:00:04 a.m.", 6_000),
        ("9:30 am", "9:31 am", 60_000),
    ],
)
def test_times_of_a_day_count_from_the_first(first: str, second: str, passed: int) -> None:
    for text in (f"{first} Agent: a\n{second} Customer: b", f"[{first}] Agent: a\n[{second}] Customer: b"):
        call = one(text)
        assert told(call) == [("Agent", "a", 0), ("Customer", "b", passed)] and call.started_at is None


def test_what_was_said_a_little_earlier_begins_the_call() -> None:
    assert told(one("09:30:05 Agent: a\n09:30:03 Customer: b")) == [
        ("Customer", "b", 0),
        ("Agent", "a", 2_000),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-03-01 09:30:00", "2026-03-01 09:30:05"),
        ("2026-03-01T09:30:00Z", "2026-03-01T10:30:05+01:00"),
        ("2026/3/1 9:30:00 AM", "2026/3/1 9:30:05 AM"),
        ("2026-03-01 09:30:00", "09:30:05"),
    ],
)
def test_dates_before_the_label(first: str, second: str) -> None:
    for text in (f"{first} Agent: a\n{second} Customer: b", f"[{first}] 客服：a\n[{second}] 客户：b"):
        call = one(text)
        assert call.started_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
        assert [turn.start_ms for turn in call.turns] == [0, 5_000]


def test_a_date_and_then_times_alone_go_on_behind_midnight() -> None:
    call = one("2026-02-28 23:59:58 Agent: a\n00:00:04 Customer: b\n00:00:09 Agent: c")
    assert [turn.start_ms for turn in call.turns] == [0, 6_000, 11_000]


def test_a_time_without_a_label_goes_on_with_the_voice_before() -> None:
    assert told(one("[00:01] Agent: a\n[00:05] b\n[00:09] Customer: c")) == [
        ("Agent", "a", 1_000),
        ("Agent", "b", 5_000),
        ("Customer", "c", 9_000),
    ]
    assert told(one("00:01\nAgent: a\n00:05\nb\n00:09\nCustomer: c")) == [
        ("Agent", "a", 1_000),
        ("Agent", "b", 5_000),
        ("Customer", "c", 9_000),
    ]


def test_a_time_that_was_said_is_no_time() -> None:
    assert told(one("0:01 Agent: When?\n0:05 Customer: At\n9:30\nor then"))[1][1] == "At\n9:30\nor then"
    assert told(one("Agent: When?\nCustomer: At\n9:30"))[1][1] == "At\n9:30"
    assert told(one("Speaker 1:Hello\nSpeaker 2:Hi\nSpeaker 1:50 euros"))[2] == ("Speaker 1", "50 euros", 0)
    assert told(one("Agent: Let us\nMeet at 9:30\nCustomer: Yes"))[0] == ("Agent", "Let us\nMeet at 9:30", 0)


# -- who speaks once ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [("Agent", "John Smith"), ("客服", "张伟"), ("agent", "john"), ("Caller", "Callee"), ("Guest", "Host")],
)
def test_who_speaks_once_is_heard(first: str, second: str) -> None:
    text = f"{first}: a\n{second}: my card\n{first}: c\nSort code: 12-34\n账号：12"
    lost = [(first, "a", 0), (second, "my card", 0), (first, "c\nSort code: 12-34\n账号：12", 0)]
    assert told(one(text)) == lost
    assert len(set(sides(one(text)).values())) == 2
    assert told(one(f"{first}: a\n{second}: my card")) == lost[:2]


def test_who_speaks_once_in_captions_is_heard() -> None:
    cues = [("Agent", "a"), ("John Smith", "my card"), ("Agent", "c")]
    captions = [f"00:0{at}.000 --> 00:0{at}.900\n{who}: {what}." for at, (who, what) in enumerate(cues)]
    for text in ("WEBVTT\n\n" + "\n\n".join(captions), "\n\n".join(captions).replace(".000", ",000")):
        assert [each[:2] for each in told(one(text))] == [(who, f"{what}.") for who, what in cues]
        assert sides(one(text)) == {"Agent": "human_agent", "John Smith": "customer"}


def test_whoever_speaks_behind_a_time_as_others_do_is_heard() -> None:
    call = one("[00:01] Agent: a\n[00:02] Customer: b\n[00:03] Jo Lind: c\n[00:04] Agent: d\nSort code: 12")
    assert [label for label, _, _ in told(call)] == ["Agent", "Customer", "Jo Lind", "Agent"]


# -- what is no call ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  web: nginx\n  db: postgres\n",
        "host: a\nport: 1\nscheme: b\n",
        "- name: a\n  en: Hello\n  zh: 你好\n- name: b\n  en: Bye\n  zh: 再见\n",
        "Shopping list\nmilk: 2\neggs: 12\n",
        "From: a@example.org\nTo: b@example.org\nSubject: My card\n\nHello John,\nplease note: it is lost.\n",
        "Title: A book\nAuthor: Jo Lind\nYear: 2026\n",
    ],
)
def test_other_files_with_colons_are_not_taken_for_calls(text: str) -> None:
    with pytest.raises(TranscriptRefused, match="no known form"):
        one(text)


@pytest.mark.parametrize(
    "text",
    [
        "John: I lost my card\nMary: Let me see",
        "john: I lost my card\nmary: Let me see\njohn: Thank you",
        "speaker 1: I lost my card\nspeaker 2: Let me see",
        "张伟：卡丢了\n李娜：我看一下",
        "[00:00:01] foo: I lost my card\n[00:00:05] bar: Let me see",
        "Order 4711\nAgent: Hello\nmilk: 2",
    ],
)
def test_names_times_and_sides_are_taken_for_calls(text: str) -> None:
    assert told(one(text))


# -- captions -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"), [("[Agent]", "[Customer]"), ("(Agent)", "(Customer)"), (">> Agent:", ">> Customer:")]
)
def test_captions_with_labels_in_brackets_or_behind_arrows(first: str, second: str) -> None:
    srt = f"1\n00:00:05,000 --> 00:00:06,000\n{first} Hello\n\n2\n00:00:09,000 --> 00:00:10,000\n{second} Lost it\n"
    assert told(one(srt)) == CALL
    assert told(one("WEBVTT\n\n" + srt.replace(",000", ".000"))) == CALL
    escaped = srt.replace(",000", ".000").replace(">> ", "&gt;&gt; ")
    assert told(one("WEBVTT\n\n" + escaped)) == CALL


@pytest.mark.parametrize("header", ["", "WEBVTT\n\n"])
def test_a_caption_goes_on_behind_an_empty_line(header: str) -> None:
    text = "1\n00:00:05,000 --> 00:00:06,000\nAgent: Hello\n\nyou\n\n\nthere\n\n2\n00:00:09,000 --> 00:00:10,000\nCustomer: Lost it\n\ntoday\n"
    text = header + (text.replace(",000", ".000") if header else text)
    assert told(one(text)) == [("Agent", "Hello\nyou\nthere", 5_000), ("Customer", "Lost it\ntoday", 9_000)]


def test_notes_are_no_captions_and_a_line_that_is_called_so_is() -> None:
    note = "NOTE nobody\nsays this"
    cue = "00:00:05.000 --> 00:00:06.000\nAgent: Hello\n\n{}\n\nid of words\n00:00:09.000 --> 00:00:10.000\nCustomer: Lost it\n"
    assert told(one("WEBVTT\n\n" + cue.format(note))) == CALL
    assert told(one(cue.format(note).replace("id of words", "2")))[0] == ("Agent", f"Hello\n{note}", 5_000)
