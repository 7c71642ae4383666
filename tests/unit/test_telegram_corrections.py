"""An edited message as Telegram takes it: in its old place, and anew, marked as a correction."""

from connectors.telegram.formatting import corrections_of, plain_of


def test_a_text_is_signed_and_marked_where_it_is_sent_anew() -> None:
    assert corrections_of("It costs **5**.", "Mei", "Correction") == [
        ("<b>Mei</b>\nIt costs <b>5</b>.", "<b>Mei · Correction</b>\nIt costs <b>5</b>.")
    ]


def test_a_long_text_has_the_same_parts_both_ways_and_its_last_one_is_marked() -> None:
    text = "\n\n".join(f"Paragraph {number}: " + "word " * 300 for number in range(6))
    parts = corrections_of(text, "Mei", "更正")
    assert len(parts) >= 3
    assert all(len(plain_of(each).encode("utf-16-le")) // 2 <= 4096 for part in parts for each in part)
    first, last = parts[0], parts[-1]
    assert first[0].startswith("<b>Mei</b>\n") and first[1] == first[0].replace("Mei", "Mei · 更正", 1)
    assert last[1] == f"<b>Mei · 更正</b>\n{last[0]}"
    together = "".join(plain_of(text) for text, _ in parts)
    assert all(f"Paragraph {number}:" in together for number in range(6))


def test_a_name_with_markup_is_no_markup_and_one_without_anything_to_see_is_left_out() -> None:
    assert corrections_of("x", "Mei <1>", "Correction")[0][0] == "<b>Mei &lt;1&gt;</b>\nx"
    assert corrections_of("x", "\u200b", "Correction") == [("x", "<b>Correction</b>\nx")]


def test_what_has_nothing_to_see_is_no_message() -> None:
    assert corrections_of(" \u200b ", "Mei", "Correction") == []


def test_one_long_word_breaks_nothing() -> None:
    for name in ("Mei", "\u200b"):
        parts = corrections_of("x" * 9_000, name, "Correction")
        assert "".join(plain_of(text) for text, _ in parts).count("x") == 9_000
