"""Captions, labelled lines and tables to the common form, in whatever encoding."""

import pytest

from connectors.calls.decoding import decode
from connectors.calls.formats import read
from connectors.calls.transcript import Transcript, TranscriptRefused
from tests.support.call_files import CSV, FILES, SRT, TEXT, WEBVTT


def one(text: str, **options: str) -> Transcript:
    (call,) = read(text.encode(), **options)  # type: ignore[arg-type]
    return call


def lines(call: Transcript) -> list[tuple[str, str, int, int]]:
    return [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in call.turns]


def test_webvtt() -> None:
    call = one(WEBVTT)
    assert lines(call) == [
        ("human_agent", "Good morning & welcome.", 500, 2000),
        ("customer", "I lost my card.", 2400, 4000),
    ]
    assert [party.label for party in call.parties] == ["Agent", "Mira Holt"]


def test_webvtt_several_voices_in_a_cue_styles_and_a_language() -> None:
    call = one(
        "WEBVTT Kind: captions\nLanguage: de-AT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:x\n\n"
        "id with words\n01:00:00.000 --> 01:00:01.000 position:10%\n<v Agent>Hello.</v>\n<v Customer>Hi, <00:00:01.000>you.\n"
    )
    assert lines(call) == [
        ("human_agent", "Hello.", 3_600_000, 3_601_000),
        ("customer", "Hi, you.", 3_600_000, 3_601_000),
    ]
    assert call.language == "de-AT"


def test_captions_that_go_on_are_one_turn() -> None:
    call = one(
        "WEBVTT\n\n00:00.000 --> 00:01.000\nAgent: Your card is\n\n00:01.200 --> 00:02.000\non its way.\n\n"
        "00:02.100 --> 00:03.000\nAnything else?\n\n00:03.500 --> 00:04.000\nCustomer: No\n\n00:09.000 --> 00:10.000\nthanks.\n"
    )
    assert lines(call) == [
        ("human_agent", "Your card is on its way.", 0, 2000),
        ("human_agent", "Anything else?", 2100, 3000),
        ("customer", "No", 3500, 4000),
        ("customer", "thanks.", 9000, 10000),
    ]


def test_srt() -> None:
    assert lines(one(SRT)) == [
        ("human_agent", "Good morning.", 500, 2000),
        ("customer", "I lost my card.", 2400, 4000),
    ]
    crowded = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>客服</i>：您好\n2\n00:00:03,000 --> 00:00:04,000\n客户：我的卡丢了\n"
    assert lines(one(crowded)) == [
        ("human_agent", "您好", 1000, 2000),
        ("customer", "我的卡丢了", 3000, 4000),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("WEBVTT\n\n00:00.000 --> soon\nHi", "line 3: times must read like"),
        ("WEBVTT\n\n00:61.000 --> 00:62.000\nHi", "line 3: a time must read like"),
        ("1\n00:00:01,000 --> 00:61:00,000\nHi", "line 2: a time must read like"),
        ("WEBVTT\n\nNOTE nothing\n", "no turn with a text"),
    ],
)
def test_captions_that_are_refused(text: str, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(text)


def test_a_form_that_is_given_is_read_as_it_is() -> None:
    with pytest.raises(TranscriptRefused, match="line 1: WebVTT begins with WEBVTT"):
        one(TEXT, form="webvtt")
    with pytest.raises(TranscriptRefused, match="no caption: SRT has lines of times"):
        one(TEXT, form="srt")
    with pytest.raises(TranscriptRefused, match="line 1: a table's first line must name"):
        one(TEXT, form="csv")
    with pytest.raises(TranscriptRefused, match="no line names a speaker; lines must begin"):
        one("hello\nthere", form="text")
    with pytest.raises(TranscriptRefused, match="the file is no JSON"):
        one(TEXT, form="vcon")


def test_labelled_lines() -> None:
    assert lines(one(TEXT)) == [
        ("human_agent", "Good morning.", 1000, 1000),
        ("customer", "I lost my card.", 3000, 3000),
    ]
    chinese = "坐席（小王） 00:01：您好\n  请问有什么可以帮您？\n顾客 00:05：我的账号是：1234\n"
    assert lines(one(chinese)) == [
        ("human_agent", "您好 请问有什么可以帮您？", 1000, 1000),
        ("customer", "我的账号是：1234", 5000, 5000),
    ]


def test_a_colon_makes_no_speaker_beside_those_that_are_known() -> None:
    call = one("Agent: Here it is.\nSort code:  12-34\nCustomer: Thanks\nAgent: Bye: now")
    assert [(turn.speaker, turn.original) for turn in call.turns] == [
        ("human_agent", "Here it is.\nSort code:  12-34"),
        ("customer", "Thanks"),
        ("human_agent", "Bye: now"),
    ]


def test_a_title_is_no_turn_and_lost_words_are_refused() -> None:
    assert len(one("Call of 1 March\n\nAgent: Hi\nCustomer: Ho").turns) == 2
    with pytest.raises(TranscriptRefused, match="line 1: 11 lines before the first that names a speaker"):
        one("and so on\n" * 11 + "Agent: Hi", form="text")


def test_names_alone_are_speakers() -> None:
    call = one("**Jo:** Thank you for calling.\n**Mira:** Hi Jo\n[00:30] - Jo: http://x.example: look\n")
    assert [(turn.speaker, turn.text, turn.start_ms) for turn in call.turns] == [
        ("human_agent", "Thank you for calling.", 0),
        ("customer", "Hi Jo", 0),
        ("human_agent", "http://x.example: look", 30_000),
    ]


def test_tables() -> None:
    assert lines(one(CSV)) == [
        ("human_agent", "Good morning.", 500, 2000),
        ("customer", "I lost my card, sorry.", 2400, 4000),
    ]
    semicolons = 'Start_ms;Rolle;ROLE;Utterance\n500;x;agent;Hello; \n00:02;y;customer;"a\nb"\n'
    assert lines(one(semicolons)) == [("human_agent", "Hello", 500, 500), ("customer", "a b", 2000, 2000)]
    chinese = "角色\t内容\t开始时间\n客服\t您好\t2026-03-01 09:30:00\n客户\t卡丢了\t2026-03-01 09:30:02.5\n"
    assert lines(one(chinese)) == [("human_agent", "您好", 0, 0), ("customer", "卡丢了", 2500, 2500)]


def test_a_table_of_several_calls() -> None:
    table = "call_id,speaker,text\na,Agent,Hi\nb,Agent,Hello\na,Customer,Ho\n"
    assert [(call.call_id, [turn.text for turn in call.turns]) for call in read(table.encode())] == [
        ("a", ["Hi", "Ho"]),
        ("b", ["Hello"]),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("speaker,text,start\nAgent,Hi,-1", "line 2, start must be"),
        ("speaker,text,start\nAgent,Hi,nan", "line 2, start must be"),
        ("speaker,start,text\nAgent,1", "line 2: 2 columns; the text is in column 3"),
        ("speaker,text\n", "no turn with a text"),
        ("speaker,text\nAgent,Hi " + "x" * 140_000, "line 2: field larger"),
    ],
)
def test_tables_that_are_refused(text: str, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(text)


def test_the_name_decides_only_where_the_content_allows_two() -> None:
    both = "Speaker: role, text\nAgent: hi\n"
    assert one(both, name="call.csv").source == "text"
    assert one(CSV, name="call.txt").source == "csv"
    with pytest.raises(TranscriptRefused, match=r"call\.vtt: no known form"):
        one("just words", name="call.vtt")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"]
)
def test_encodings(encoding: str) -> None:
    text = "客服: 您好，请问有什么可以帮您？\n客户: 我的卡丢了。\n"
    data = text.encode(encoding)
    assert decode(data) == text
    assert [turn.text for turn in read(data)[0].turns] == ["您好，请问有什么可以帮您？", "我的卡丢了。"]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8b\x08rest", "a gzip archive"),
        (b"RIFF....WAVE", "a RIFF recording"),
        (b"Agent: hi\x00\x00\x00\x00\x00\x00\x00 " * 30, "NUL: a binary file"),
        (b"\xff\xfeA", "byte 3 is no UTF-16"),
        (b"Agent: \x80\xff\xff", "is no GB18030"),
        ("Agent: Voil\u00e0, \u00e9t\u00e9 cr\u00e9dit\u00e9".encode("latin-1"), "GB18030"),
        ("Agent: I\u2019m here".encode("cp1252"), "neither UTF-8 nor likely to be GB18030"),
        (b" \n", "empty"),
        (b"", "empty"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        read(data)


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(TranscriptRefused, match="50,000,001 bytes; allowed are 50,000,000"):
        read(b"x" * 50_000_001)


def test_every_text_form_survives_windows_line_ends() -> None:
    for form in ("webvtt", "srt", "text", "csv"):
        windows = FILES[form].replace(b"\n", b"\r\n")
        assert lines(read(windows)[0]) == lines(read(FILES[form])[0])
