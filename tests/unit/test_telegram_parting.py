"""Texts that are longer than a message of ours, cut where it disturbs least and within no number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.telegram.parting import parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One two.", ["One two."]),
        ("Some words here.\n\nMore of them. And more", ["Some words here.", "More of them. And more"]),
        ("Some more words.\nMore of them. And more", ["Some more words.", "More of them. And more"]),
        ("Some more words here. More of them", ["Some more words here.", "More of them"]),
        ("some more words here more of them", ["some more words here more", "of them"]),
        (
            "我的卡丢了，现在应该怎么办才好呢。请帮我冻结这张卡，谢谢您的帮助",
            ["我的卡丢了，现在应该怎么办才好呢。", "请帮我冻结这张卡，谢谢您的帮助"],
        ),
        ("x" * 60, ["x" * 25, "x" * 25, "x" * 10]),
        ("my stolen card 4111 1111 1111 1111 is gone", ["my stolen card", "4111 1111 1111 1111 is", "gone"]),
        ("the number is IE29 AIBK 9311 5212", ["the number is", "IE29 AIBK 9311 5212"]),
        (
            "丢了卡的号码是六二2222333344445555，请帮我冻结",
            ["丢了卡的号码是六二2222333344445555", "，请帮我冻结"],
        ),
    ],
)
def test_a_text_is_cut_where_it_disturbs_least(text: str, parts: list[str]) -> None:
    assert parts_of(text, 25) == parts


@given(st.text(alphabet="ab1 \n.。中", max_size=300), st.integers(2, 40))
def test_nothing_but_white_space_is_lost_and_no_part_is_too_long(text: str, most: int) -> None:
    parts = parts_of(text, most)
    assert all(len(each) <= most for each in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
