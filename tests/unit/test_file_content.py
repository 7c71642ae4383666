"""What a file is, by its content: everything that is let in, and what is not; and no content breaks the reader."""

import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit import content
from connectors.kit.content import fits, media_type
from connectors.kit.office import MAX_ENTRIES
from tests.support.files import (
    AAC_FRAME,
    JPEG,
    KEPT_OUT,
    LET_IN,
    MAIN,
    MP3_FRAME,
    OPUS,
    PDF,
    WEBP,
    boxed,
    office,
    tagged,
    zipped,
)


@pytest.mark.parametrize("name", LET_IN)
def test_what_is_let_in_has_its_type(name: str) -> None:
    assert media_type(LET_IN[name]) == name == fits("document", LET_IN[name])


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (MP3_FRAME, "audio/mpeg"),
        (MP3_FRAME * 3 + b"TAG" + bytes(125), "audio/mpeg"),
        (MP3_FRAME[:404], "audio/mpeg"),
        (b"\xff\xf3\x80\xc4" + bytes(204) + b"\xff\xf3\x80\xc4" + bytes(204), "audio/mpeg"),  # MPEG 2
        (tagged(bytes(500) + MP3_FRAME * 2), "audio/mpeg"),
        (tagged(AAC_FRAME * 2, version=4), "audio/aac"),
        (tagged(bytes(10) + MP3_FRAME, version=4, flags=0x10), "audio/mpeg"),  # the tag has a footer
        (AAC_FRAME, "audio/aac"),
    ],
)
def test_sound_is_told_by_its_first_frames(sent: bytes, told: str) -> None:
    assert media_type(sent) == told


WORD = (
    "docProps/", "docProps/app.xml", "docProps/thumbnail.jpeg", "customXml/item1.xml", "customXml/_rels/item1.xml.rels",
    "word/_rels/document.xml.rels", "word/styles.xml", "word/header1.xml", "word/theme/theme1.xml", "word/media/image1.PNG",
    "word/media/\u56fe\u7247 1.jpeg", "word/fonts/font1.odttf", "word/commentsExtended.xml", "word/charts/chart1.xml",
    "_xmlsignatures/sig1.xml", "word/glossary/document.xml",
)  # fmt: skip
EXCEL = (
    "xl/worksheets/sheet1.xml", "xl/worksheets/_rels/sheet1.xml.rels", "xl/sharedStrings.xml", "xl/comments1.xml",
    "xl/drawings/vmlDrawing1.vml", "xl/drawings/_rels/vmlDrawing1.vml.rels", "xl/printerSettings/printerSettings1.bin",
    "xl/pivotCache/pivotCacheDefinition1.xml", "xl/calcChain.xml", "xl/tables/table1.xml",
)  # fmt: skip
POWERPOINT = (
    "ppt/slides/slide1.xml", "ppt/slideLayouts/_rels/slideLayout1.xml.rels", "ppt/slideMasters/slideMaster1.xml",
    "ppt/notesSlides/notesSlide1.xml", "ppt/media/media1.mp4", "ppt/presProps.xml", "ppt/fonts/Roboto-regular.fntdata",
)  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "parts", "told"),
    [
        ("word", WORD, "wordprocessingml.document"),
        ("xl", EXCEL, "spreadsheetml.sheet"),
        ("ppt", POWERPOINT, "presentationml.presentation"),
    ],
)
def test_an_office_file_of_ordinary_parts_is_let_in(folder: str, parts: tuple[str, ...], told: str) -> None:
    """As Word, Excel, PowerPoint, LibreOffice and Google's write them."""
    made = zipped("[Content_Types].xml", f"{folder}/{MAIN[folder]}", *parts, content="")
    assert media_type(made) == f"application/vnd.openxmlformats-officedocument.{told}"


def test_a_part_that_is_there_twice_makes_it_none() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = office("word", "word/styles.xml", "word/styles.xml")
    assert media_type(twice) is None
    assert media_type(office("word", "word/styles.xml", "word/Styles.xml")) is None


def test_a_sheet_that_is_the_same_in_every_row_is_no_bomb() -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>0</v></c><c r="B{n}"><v>0</v></c></row>' for n in range(40_000)
    )
    assert media_type(office("xl", "xl/worksheets/sheet1.xml", content=rows)) is not None


@pytest.mark.parametrize("name", KEPT_OUT)
def test_what_is_not_let_in_has_none(name: str) -> None:
    assert media_type(KEPT_OUT[name]) is None and fits("document", KEPT_OUT[name]) is None


@pytest.mark.parametrize(
    ("kind", "sent", "told"),
    [
        ("photo", JPEG, "image/jpeg"),
        ("photo", PDF, None),
        ("sticker", WEBP, "image/webp"),
        ("sticker", KEPT_OUT["gzip"], None),  # an animated one is an archive
        ("voice", OPUS, "audio/ogg"),
        ("voice", JPEG, None),
        ("audio", boxed(b"mp42"), "audio/mp4"),
        ("video", boxed(b"mp42"), "video/mp4"),
        ("video", LET_IN["image/gif"], "image/gif"),
        ("video", OPUS, None),
        ("document", boxed(b"mp42"), "video/mp4"),
    ],
)
def test_a_file_is_of_the_kind_that_it_was_sent_as(kind: content.Kind, sent: bytes, told: str | None) -> None:
    assert fits(kind, sent) == told


def test_nothing_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpacked(*_: object, **__: object) -> None:
        raise AssertionError("was unpacked")

    sent = [office("word"), KEPT_OUT["a bomb"], KEPT_OUT["a zip in a zip"]]
    for name in ("open", "read", "extract", "extractall", "testzip"):
        monkeypatch.setattr(zipfile.ZipFile, name, unpacked)
    assert [media_type(each) for each in sent] == [
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        None,
        None,
    ]


def test_a_list_of_contents_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    long = zipped(*(str(number) for number in range(MAX_ENTRIES + 1)))

    def read(*_: object) -> None:
        raise AssertionError("was read")

    monkeypatch.setattr(zipfile, "ZipFile", read)
    assert media_type(long) is None


def test_what_follows_a_document_or_comes_before_it_makes_it_none() -> None:
    assert media_type(office("word") + b"x" * 70_000) is None
    assert media_type(b"MZ" + office("word")) is None


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from([office("word"), *LET_IN.values()]))
def test_no_content_breaks_it(noise: bytes, at: int, good: bytes) -> None:
    for sent in (noise, good[:at] + noise + good[at:], good[:at] + noise + good[at + len(noise) :]):
        assert media_type(sent) in {*LET_IN, "audio/amr-wb", None}
