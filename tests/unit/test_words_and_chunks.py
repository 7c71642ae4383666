"""Cutting text: terms, languages, chunks."""

from datetime import date

import pytest

from parley.domain.chunking import MAX_CHARS, chunks_of, pieces, sections
from parley.domain.words import language_of, stem, terms
from schemas.tenant import Article


def article(text: str) -> Article:
    return Article(id="a", title="Title", url="/a", language="en", valid_from=date(2026, 1, 1), text=text)


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cash machine", "ATM"),
        ("lost card", "losing cards"),
        ("fixed for two years", "fixed for 24 months"),
        ("my son's account", "child account"),
        ("someone phoned me", "someone called me"),
        ("when does it reach them", "when does it arrive"),
        ("the machine ate my card", "the machine swallowed my card"),
        ("cash in London", "cash abroad"),
        ("maximum a day", "limit a day"),
        ("取款机", "ATM机"),
        ("存两年", "存 24 个月"),
        ("借一万五", "借 15000"),
    ],
)
def test_names_of_one_thing_share_a_term(one: str, other: str) -> None:
    assert set(terms(other)) <= set(terms(one)) | set(terms("months 个月"))


def test_an_article_is_indexed_with_what_it_is_asked_as() -> None:
    asked = article("x").model_copy(update={"asked_as": ("get rid of it",)})
    [plain], [chunk] = chunks_of([article("x")]), chunks_of([asked])
    assert chunk.asked_as == ("get rid of it",) and chunk.chunk_id != plain.chunk_id


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
