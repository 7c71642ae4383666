"""What of an edited message is new."""

from connectors.telegram.sharing import Shared
from connectors.telegram.translate import Arrival, Commanded, Meaning, Pressed, Said
from connectors.telegram.versions import Versions

ONE, OTHER = (Shared("photo", name, unique=name) for name in ("one", "other"))


def arrival(update_id: int, meaning: Meaning, edited: bool = False, message_id: int = 7) -> Arrival:
    return Arrival(update_id, 5, True, "en", meaning, message_id, edited=edited)


def after(*meanings: Meaning) -> Arrival | None:
    """What is taken of the last one; the first is the message, the others are its edits."""
    versions = Versions()
    taken = [versions.changed(arrival(n, each, edited=n > 0)) for n, each in enumerate(meanings)]
    return taken[-1]


def meaning_after(*meanings: Meaning) -> Meaning | None:
    found = after(*meanings)
    return None if found is None else found.meaning


def test_an_edit_to_the_same_text_is_nothing_new() -> None:
    assert after(Said("fee?"), Said("fee?")) is None
    assert after(Said("fee?"), Said("fees?"), Said("fees?")) is None
    assert after(Commanded("help"), Commanded("help")) is None
    assert after(Said("look", ONE), Said("look", ONE)) is None


def test_an_edit_that_changes_the_text_is_taken_also_back_to_what_it_was() -> None:
    assert meaning_after(Said("fee?"), Said("fees?")) == Said("fees?")
    assert meaning_after(Said("fee?"), Said("fees?"), Said("fee?")) == Said("fee?")
    assert meaning_after(Said("human"), Commanded("human")) == Commanded("human")


def test_of_an_edited_caption_the_file_is_not_new_and_a_replaced_file_is() -> None:
    assert meaning_after(Said("look", ONE), Said("see", ONE)) == Said("see")
    assert meaning_after(Said("look", ONE), Said("look", OTHER)) == Said("look", OTHER)
    assert meaning_after(Said("", ONE), Said("", OTHER)) == Said("", OTHER)
    assert after(Said("look", ONE), Said("", ONE)) is None


def test_an_edit_of_what_is_not_remembered_is_taken_as_it_is() -> None:
    edit = arrival(1, Said("look", ONE), edited=True)
    assert Versions().changed(edit) is edit


def test_a_repeat_is_decided_as_before() -> None:
    versions = Versions()
    first, edit = arrival(1, Said("look", ONE)), arrival(2, Said("see", ONE), edited=True)
    versions.changed(first)
    once = versions.changed(edit)
    assert once is not None and versions.changed(edit) == once
    same = arrival(3, Said("see", ONE), edited=True)
    assert versions.changed(same) is None and versions.changed(same) is None
    assert versions.changed(first) is first


def test_other_messages_and_other_kinds_are_let_be() -> None:
    versions = Versions()
    versions.changed(arrival(1, Said("fee?")))
    other = arrival(2, Said("fee?"), edited=True, message_id=8)
    assert versions.changed(other) is other
    pressed = arrival(3, Pressed("q", "up", "r", 7))
    assert versions.changed(pressed) is pressed
