"""Cutting text: terms, languages, chunks, extracts."""

from datetime import date

import pytest

from parley.domain.chunking import MAX_CHARS, chunks_of, pieces, sections
from parley.domain.extraction import extract
from parley.domain.words import language_of, stem, terms
from schemas.parts import Passage
from schemas.tenant import Article


def article(text: str) -> Article:
    return Article(id="a", title="Title", url="/a", language="en", valid_from=date(2026, 1, 1), text=text)


def passage(text: str, title: str = "Account fees", score: float = 1.0, name: str = "c") -> Passage:
    return Passage(
        chunk_id=name, article_id="a", title=title, url="/a", language="en", text=text, score=score
    )


def test_latin_words_are_stemmed_and_common_ones_dropped() -> None:
    assert terms("What are the Fees for my accounts?") == [stem("fees"), stem("accounts")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fees", "fee"),
        ("cards", "card"),
        ("opening", "opened"),
        ("branches", "branch"),
        ("stopped", "stop"),
        ("queries", "query"),
        ("charged", "charge"),
    ],
)
def test_forms_of_one_word_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_chinese_is_cut_into_characters_and_pairs() -> None:
    assert terms("挂失银行卡") == ["挂", "失", "银", "行", "卡", "挂失", "失银", "银行", "行卡"]


def test_common_words_are_kept_where_every_term_counts() -> None:
    assert terms("is it 我的卡", drop_common=False) == ["is", "it", "我", "的", "卡", "我的", "的卡"]


def test_full_width_forms_are_the_same_terms() -> None:
    assert terms("ＡＢＣ１２３") == terms("abc123")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hello", "en"),
        ("你好", "zh"),
        ("我的 SEPA 转账失败了", "zh"),
        ("see the 中 sign on all of these many doors", "en"),
        ("😀", "en"),
        ("", "en"),
    ],
)
def test_tells_languages_apart_by_script(text: str, language: str) -> None:
    assert language_of(text, ("en", "zh"), "en") == language


def test_latin_text_is_not_chinese_even_where_chinese_is_the_default() -> None:
    assert language_of("hello there", ("zh", "en"), "zh") == "en"


def test_sections_keep_the_headings_above_them() -> None:
    found = sections(
        "Lead.\n\n## Costs\n\nText.\n\n### Abroad\n\nMore.\n\n## Other\n\nEnd.\n\n```\n# no heading\n```"
    )
    assert [section.path for section in found] == [(), ("Costs",), ("Costs", "Abroad"), ("Other",)]
    assert "# no heading" in found[-1].text


def test_a_heading_without_text_is_only_a_part_of_the_path() -> None:
    assert [
        (section.path, section.text) for section in sections("# Costs\n## Abroad\n\nMore.\n\n## Empty\n")
    ] == [(("Costs", "Abroad"), "More.")]


def test_a_chunk_keeps_its_id_until_its_content_changes() -> None:
    one, same, other = (chunks_of([article(text)])[0].chunk_id for text in ("x", "x", "y"))
    assert one == same != other


def test_a_long_table_is_cut_by_rows_under_its_header() -> None:
    rows = "\n".join(f"| row {number} | {'x' * 40} |" for number in range(60))
    parts = pieces(f"| a | b |\n|---|---|\n{rows}")
    assert len(parts) > 1
    assert all(part.startswith("| a | b |\n|---|---|\n") for part in parts)
    assert all(len(part) <= MAX_CHARS for part in parts)
    assert sum(part.count("row ") for part in parts) == 60


def test_long_sections_are_cut_between_blocks() -> None:
    parts = pieces("\n\n".join(f"Paragraph {number}. " + "word " * 60 for number in range(8)))
    assert len(parts) > 1 and all(part.startswith("Paragraph") for part in parts)


def test_quotes_the_passage_that_covers_the_question() -> None:
    found = extract(
        "How much does cash abroad cost?",
        [passage("The account is free.", name="1"), passage("Cash abroad costs 2%.", name="2")],
    )
    assert found is not None and (found.text, found.cited) == ("Cash abroad costs 2%.", ("2",))


def test_says_nothing_where_the_passages_do_not_cover_the_question() -> None:
    assert extract("Which football team won the championship?", [passage("The account is free.")]) is None
    assert extract("anything", []) is None
    assert extract("the of and", [passage("The account is free.")]) is None


def test_quotes_the_best_sentences_of_a_long_paragraph() -> None:
    filler = "The bank was founded long ago. It has five branches. The head office is in the city. Staff are friendly. "
    found = extract(
        "What does a replacement card cost?",
        [passage(filler + "A replacement card costs €8. It comes by post.")],
    )
    assert found is not None and "€8" in found.text and "founded" not in found.text


def test_quotes_a_table_with_its_header_and_the_rows_that_matter() -> None:
    rows = "\n".join(f"| service {number} | €{number} |" for number in range(20))
    found = extract(
        "What does a banker's draft cost?",
        [passage(f"| Service | Price |\n|---|---|\n{rows}\n| Banker's draft | €7 |")],
    )
    assert found is not None
    assert (
        found.text.startswith("| Service | Price |") and "€7" in found.text and found.text.count("\n") <= 10
    )


def test_a_sentence_that_leads_into_a_list_comes_with_it() -> None:
    found = extract(
        "How do I freeze my card?",
        [passage("To freeze a card:\n\n1. Open the app.\n2. Tap freeze.\n\nOther text.", "Cards")],
    )
    assert found is not None and found.text.startswith("To freeze a card:") and "2. Tap freeze." in found.text


def test_a_list_comes_with_the_sentence_above_it() -> None:
    found = extract(
        "Where can I freeze a lost card?",
        [
            passage(
                "Do it as soon as you can.\n\n- In the app: freeze the lost card.\n- By telephone.", "Help"
            )
        ],
    )
    assert found is not None
    assert found.text == "Do it as soon as you can.\n\n- In the app: freeze the lost card.\n- By telephone."


def test_what_follows_a_table_brings_the_table_along() -> None:
    table = "| Card | Price |\n|---|---|\n| Gold card | €8 |"
    found = extract(
        "What does a replacement of the gold card cost, and when?",
        [passage(f"{table}\n\nA replacement of the gold card comes by post when asked for.", "Prices")],
    )
    assert found is not None and found.text.startswith(table) and "by post" in found.text


def test_a_second_block_that_covers_about_as_much_is_quoted_too() -> None:
    found = extract(
        "What does a gold card cost abroad?",
        [
            passage(
                "A gold card costs €8 abroad.\n\nBranches are open.\n\nA gold card costs €9 abroad at night."
            )
        ],
    )
    assert found is not None
    assert found.text == "A gold card costs €8 abroad.\n\nA gold card costs €9 abroad at night."


def test_a_second_block_for_which_there_is_no_room_is_left_out() -> None:
    block = "A gold card costs €8 abroad " + "and so on " * 40 + "."
    found = extract("What does a gold card cost abroad?", [passage(f"{block}\n\n{block}")])
    assert found is not None and found.text == block


def test_a_short_table_is_quoted_whole() -> None:
    table = "| Service | Price |\n|---|---|\n| Draft | €7 |\n| Letter | €2 |"
    found = extract("What does a draft cost?", [passage(table)])
    assert found is not None and found.text == table


def test_chinese_sentences_are_joined_without_a_gap() -> None:
    filler = "本行成立已久。网点遍布各地。员工十分友善。"
    found = extract("补办银行卡收费", [passage(filler + "补办银行卡收费八欧元。银行卡寄送到家。", "银行卡")])
    assert found is not None
    assert found.text == "网点遍布各地。员工十分友善。补办银行卡收费八欧元。"
