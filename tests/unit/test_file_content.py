"""What a file is, by its content: everything that is let in, and what is not; and no content breaks the reader."""

import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit import content
from connectors.kit.content import MAX_ENTRIES, fits, media_type
from tests.support.files import JPEG, KEPT_OUT, LET_IN, OPUS, PDF, WEBP, boxed, office, zipped


@pytest.mark.parametrize("name", LET_IN)
def test_what_is_let_in_has_its_type(name: str) -> None:
    assert media_type(LET_IN[name]) == name == fits("document", LET_IN[name])


def test_sound_without_a_header_is_told_by_its_first_frame() -> None:
    assert media_type(b"\xff\xfb\x90\x64" + bytes(400)) == "audio/mpeg"


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
