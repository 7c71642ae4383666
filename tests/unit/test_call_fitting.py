"""Masked texts are cut to what an event takes, and no placeholder in two."""

import pytest

from connectors.calls.fitting import fitted


@pytest.mark.parametrize(
    ("text", "most", "is_"),
    [
        ("as it is", 8, "as it is"),
        ("my card is lost", 10, "my card…"),
        ("my card is lost", 11, "my card is…"),
        ("my [card_1] is", 9, "my…"),
        ("my [card_1] is", 12, "my [card_1]…"),
        ("[card_1][card_2][card_3]", 17, "[card_1][card_2]…"),
        ("[card_1][card_2][card_3]", 16, "[card_1]…"),
        ("我的卡丢了", 3, "我的…"),
        ("[card_1]", 4, "…"),
    ],
)
def test_a_text_is_cut_behind_a_word_or_a_placeholder(text: str, most: int, is_: str) -> None:
    assert fitted(text, most) == is_
    assert len(fitted(text, most)) <= most
