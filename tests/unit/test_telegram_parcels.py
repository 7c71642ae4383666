"""What is kept of an update until it can be taken."""

import pytest

from connectors.telegram.parcels import Parcel, captions_first, lack_caption, pack, unpack
from connectors.telegram.sharing import Shared
from connectors.telegram.translate import Arrival, Commanded, Meaning, Said, Unreadable
from parley.domain.masking import Masked

SMALL = Shared("photo", "s", 9, unique="s")
PHOTO = Shared("photo", "p", 900, "card 4111.jpg", SMALL, "p")


def arrival(meaning: Meaning, update_id: int = 9) -> Arrival:
    return Arrival(update_id, 5, True, "zh-hans", meaning, 7, thread=3, edited=True)


def mask(text: str) -> Masked:
    return Masked(text.replace("4111", "[card_1]"), ("card",) if "4111" in text else ())


def kept(meaning: Meaning) -> Arrival:
    position, content = pack(arrival(meaning), mask, lambda name: None if name and "4111" in name else name)
    assert position == 9 and b"4111" not in content
    found = unpack(position, content)[1]
    assert found is not None
    return found


def test_a_text_is_as_it_was_but_for_what_masking_takes_out() -> None:
    found = kept(Said("my card 4111"))
    assert found == Arrival(9, 5, True, "zh-hans", Said("my card [card_1]"), 7, 3, True, ("card",))


def test_a_file_is_kept_with_its_smaller_ones_and_without_a_name_that_tells() -> None:
    found = kept(Said("", PHOTO, "album")).meaning
    assert found == Said("", Shared("photo", "p", 900, None, SMALL, "p"), "album")


@pytest.mark.parametrize("meaning", [Commanded("human", "4111", "bot"), Unreadable("dice")])
def test_other_kinds_are_kept_too(meaning: Meaning) -> None:
    found = kept(meaning)
    expected = meaning if isinstance(meaning, Unreadable) else Commanded("human", "[card_1]", "bot")
    assert found.meaning == expected


@pytest.mark.parametrize("content", [b"", b"{}", b'{"update_id": 1, "meaning": {"new": 1}}'])
def test_what_cannot_be_read_is_told(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert unpack(9, content) == (9, None)
    assert "update 9 was kept and is passed over" in caplog.text


def parcels(*said: Said | None) -> list[Parcel]:
    return [(n, None if each is None else arrival(each, n)) for n, each in enumerate(said)]


def test_an_albums_caption_comes_first_and_nothing_else_changes_its_place() -> None:
    a, b, caption = Said("", PHOTO, "a"), Said("", PHOTO, "b"), Said("this?", PHOTO, "a")
    mixed = parcels(Said("hi"), a, b, caption, None, b, Said("bye"), a, Said("", PHOTO))
    assert [position for position, _ in captions_first(mixed)] == [0, 3, 1, 7, 2, 5, 4, 6, 8]


def test_an_album_at_the_end_may_get_its_caption_yet() -> None:
    a, b = Said("", PHOTO, "a"), Said("", PHOTO, "b")
    assert lack_caption(parcels(a)) and lack_caption(parcels(Said("hi"), a, a))
    assert not lack_caption(parcels(a, Said("x", PHOTO, "a")))
    assert not lack_caption(parcels(a, Said("hi"))) and not lack_caption(parcels(Said("", PHOTO)))
    assert not lack_caption([]) and lack_caption(parcels(Said("x", PHOTO, "a"), b))
