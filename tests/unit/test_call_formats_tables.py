"""Tables: which column is which, what a time means, and that no cell is lost."""

from datetime import UTC, datetime

import pytest

from connectors.calls.formats import read
from connectors.calls.formats.columns import Column, column
from connectors.calls.transcript import Transcript, TranscriptRefused


def one(text: str) -> Transcript:
    (call,) = read(text.encode())
    return call


def sides(call: Transcript) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in call.turns]


def times(call: Transcript) -> list[tuple[str, int, int]]:
    return [(turn.text, turn.start_ms, turn.end_ms) for turn in call.turns]


CUSTOMER_FIRST = [("customer", "I lost my card"), ("human_agent", "ok")]


@pytest.mark.parametrize(
    "table",
    [
        "speaker_id,role,text\n1,customer,I lost my card\n2,agent,ok\n",
        "Speaker Name,Role,Text\nAlice,customer,I lost my card\nBob,agent,ok\n",
        "channel,speaker,text\n0,Customer,I lost my card\n0,Agent,ok\n",
        "channel,role,text\n0,Customer,I lost my card\n0,Agent,ok\n",
        "speaker,role,text\nspk_0,customer,I lost my card\nspk_1,agent,ok\n",
        "speakerId,participantRole,text\n1,END_USER,I lost my card\n2,AGENT,ok\n",
        "说话人ID,角色,内容\n1,客户,I lost my card\n2,坐席,ok\n",
    ],
)
def test_a_role_goes_before_ids_names_and_channels(table: str) -> None:
    assert sides(one(table)) == CUSTOMER_FIRST


def test_names_are_kept_beside_roles() -> None:
    call = one("role,speaker name,text\ncustomer,Alice,I lost my card\nagent,Bob,ok\nagent,Kim,hello\n")
    assert [(party.label, party.speaker, party.name) for party in call.parties] == [
        ("Alice", "customer", "Alice"),
        ("Bob", "human_agent", "Bob"),
        ("Kim", "human_agent", "Kim"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "unit"),
    [
        ("Start (s)", "End (s)", 1),
        ("Start Time (ms)", "End Time (ms)", 1_000),
        ("start_time_ms", "end_time_ms", 1_000),
        ("startMs", "endMs", 1_000),
        ("beginOffsetMillis", "endOffsetMillis", 1_000),
        ("begin_offset", "end_offset", 1),
        ("Start time in milliseconds", "End time in milliseconds", 1_000),
        ("开始时间(毫秒)", "结束时间(毫秒)", 1_000),
        ("segment_start", "segment_end", 1),
        ("start_seconds", "duration_s", 1),
    ],
)
def test_columns_of_times_however_they_are_called(start: str, end: str, unit: int) -> None:
    to = 1 if "duration" in end else 6
    table = f"{start},{end},speaker,text\n{5 * unit},{to * unit},Agent,Hello\n{unit},{2 * unit if to > 1 else 1},Customer,bye\n"
    call = one(table)
    assert call.timed and times(call) == [("bye", 1_000, 2_000), ("Hello", 5_000, 6_000)]


def test_names_and_their_units() -> None:
    assert column("Start Time (ms)") == column("start_time_ms") == Column("start", (False, 1), 1.0)
    assert column("participantRole") == Column("role", (True, 2))
    assert column("terms") is column("call_start_date") is column("") is column("ms") is None


@pytest.mark.parametrize("first", ["1780000000", "1780000000000", "1780000000.0", "2026-05-28T20:26:40Z"])
def test_numbers_since_1970_are_a_clocks(first: str) -> None:
    call = one(f"timestamp,speaker,text\n{first},Agent,Hello\n1780000004.5,Customer,bye\n")
    assert call.started_at == datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
    assert [turn.start_ms for turn in call.turns] == [0, 4_500]


def test_dates_as_spreadsheets_write_them() -> None:
    for first, second in (
        ("2026/3/1 9:30:05", "2026/3/1 9:30:09"),
        ("2026-3-1 9:30:05", "2026-03-01 09:30:09"),
        ("2026.3.1 9:30:05", "2026年3月1日 9:30:09"),
    ):
        call = one(f"time,speaker,text\n{second},客户,卡丢了\n{first},客服,您好\n")
        assert call.started_at == datetime(2026, 3, 1, 9, 30, 5, tzinfo=UTC)
        assert [(turn.text, turn.start_ms) for turn in call.turns] == [("您好", 0), ("卡丢了", 4_000)]


def test_a_spreadsheets_first_line_and_decimal_commas() -> None:
    table = (
        "sep=;\r\nspeaker;text;start;end;confidence\r\nAgent;Hello;1,5;2,25;0,5\r\nCustomer;a, b;3;4;1\r\n"
    )
    call = one(table)
    assert [(*each, turn.confidence) for each, turn in zip(times(call), call.turns, strict=True)] == [
        ("Hello", 1_500, 2_250, 0.5),
        ("a, b", 3_000, 4_000, 1.0),
    ]
    with pytest.raises(TranscriptRefused, match="line 3, start must be"):
        one("sep=;\nspeaker;text;start\nAgent;Hello;soon\n")


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (
            "start,speaker,text\n1,Agent,ok\n2,Agent,Hello, how are you\n",
            r"line 3: 4 columns; the header has 3: a text that holds a ',' must stand in quotation marks",
        ),
        (
            'start,speaker,text\n1,Agent,ok\n2,Agent,"Hello\n3,Customer,my card\n4,Agent,ok\n',
            "line 3: a quotation mark opens a text and none closes it",
        ),
        (
            '\nstart,speaker,text\n1,Agent,"two\nlines"\n2,Agent,"Hello\n3,Customer,"my card"\n',
            "line 5: a text goes on behind its closing quotation mark",
        ),
        ('start,speaker,text\n"1,500",Agent,ok\n', "line 2, start must be a number"),
        (
            "start,speaker,text\n3/1/2026 9:30,Agent,ok\n",
            "line 2, start must be a time like 2026-03-01T09:30",
        ),
        ("start,speaker,text\n9999999999999999999,Agent,ok\n", "line 2, start must be a time of at least 0"),
        ("start,speaker,text\n-0:05,Agent,ok\n", "line 2, start: a time must read like"),
    ],
)
def test_what_would_be_lost_or_misread_is_refused_by_its_line(table: str, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(table)


def test_empty_cells_beyond_the_header_are_nothing() -> None:
    assert sides(one("speaker,text\nCustomer,I lost my card,,\nAgent,ok, \n")) == CUSTOMER_FIRST


def test_a_row_that_names_nobody_goes_on_with_the_voice_before() -> None:
    for head, agent, customer in (("speaker", "Agent", "Customer"), ("id,role", "1,agent", "2,customer")):
        empty = "," if "," in head else ""
        table = (
            f"{head.replace('id', 'speaker id')},text\n{agent},Hello\n{empty},and welcome\n{customer},ok\n"
        )
        assert sides(one(table)) == [
            ("human_agent", "Hello"),
            ("human_agent", "and welcome"),
            ("customer", "ok"),
        ]


def test_marks_within_quotation_marks_and_lines_of_any_end() -> None:
    for end in ("\n", "\r\n", "\r"):
        call = one(end.join(["speaker,text", 'Agent,"He said ""no"", and left"', "Customer,ok", ""]))
        assert [turn.text for turn in call.turns] == ['He said "no", and left', "ok"]
