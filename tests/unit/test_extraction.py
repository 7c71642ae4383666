"""What is quoted of the passages where no model writes."""

import pytest

from parley.domain.asking import AGE, AMOUNT, STEPS, TIME, kinds_of
from parley.domain.extraction import Extract, extract
from schemas.parts import Passage

LEAD = "Cards of the bank are free for all customers."


def passage(text: str, *path: str, score: float = 1.0, article: str = "cards") -> Passage:
    chunk_id = f"{article}/{'/'.join(path)}"
    return Passage(
        chunk_id=chunk_id,
        article_id=article,
        title="Cards",
        url="/a",
        path=path,
        language="en",
        text=text,
        score=score,
    )


def quoted(question: str, *passages: Passage) -> Extract:
    found = extract(question, passages)
    assert found is not None
    return found


def test_without_passages_nothing_is_quoted() -> None:
    assert extract("anything", []) is None


def test_the_best_ones_article_answers_with_its_first_sentence_and_the_block_that_was_asked_for() -> None:
    found = quoted(
        "How much does cash abroad cost?",
        passage(LEAD + " They come by post.", score=0.5),
        passage("Cash abroad costs 2%.\n\nOther things are said here.", "Prices", score=0.9),
        passage("Cash abroad costs 3%.", "Prices", article="other", score=0.8),
    )
    assert found == Extract(f"{LEAD}\n\nCash abroad costs 2%.", ("cards/", "cards/Prices"))


def test_the_first_sentence_suffices_where_no_block_says_more() -> None:
    found = quoted(
        "What does cash abroad cost?",
        passage("Cash abroad costs 2%."),
        passage("Ask in a branch.", "Help", score=0.5),
    )
    assert found == Extract("Cash abroad costs 2%.", ("cards/",))


def test_a_follow_up_is_answered_by_the_block_that_fits_what_was_asked_before() -> None:
    passages = (
        passage(LEAD, score=0.5),
        passage("Cash abroad costs 2%.", "Cash", score=0.8),
        passage("A new card costs 8%.", "New", score=0.8),
    )
    for before, says in (("What does cash abroad cost?", "2%"), ("I need a new card", "8%")):
        found = extract("And how much is that?", passages, (before,))
        assert found is not None and says in found.text


def test_a_phrase_at_the_beginning_is_followed_by_its_next_sentence() -> None:
    found = quoted("Who died?", passage("We are sorry. Call us when a customer died."))
    assert found.text == "We are sorry. Call us when a customer died."


def test_an_article_without_a_beginning_is_quoted_by_its_block_alone() -> None:
    assert quoted("cash abroad", passage("Cash abroad costs 2%.", "Prices")).text == "Cash abroad costs 2%."


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How much is a card?", {AMOUNT}),
        ("how many days does it take", {TIME}),
        ("几点开门，多少钱", {TIME, AMOUNT}),
        ("How old must I be?", {AGE}),
        ("Where is the branch?", set()),
        ("I lost my card, what now?", {STEPS}),
        ("怎么销户", {STEPS}),
        ("管理费怎么收", set()),
    ],
)
def test_a_question_asks_for_kinds_of_things(question: str, kinds: set[object]) -> None:
    assert kinds_of(question) == kinds


def test_a_block_that_holds_what_is_asked_for_is_preferred() -> None:
    found = quoted(
        "How much is a gold card?",
        passage("A gold card is nice.\n\nA gold card costs €90.", "All"),
    )
    assert "€90" in found.text


def test_a_heading_announces_what_is_asked_for() -> None:
    text = "The gold card is there on request" + " and so on" * 40 + "."
    about, takes = passage(text, "About"), passage(text, "How long it takes")
    assert quoted("When is the gold card there?", about, takes).cited == (takes.chunk_id,)


def test_the_best_sentences_of_a_long_paragraph_are_quoted() -> None:
    filler = "The bank was founded long ago. It has five branches. The head office is in the city. Staff are friendly. "
    asked = "What does a replacement card cost?"
    found = quoted(asked, passage(filler + "A replacement card costs €8. It comes by post.", "Prices"))
    assert "€8" in found.text and "founded" not in found.text


def test_a_table_is_quoted_with_its_header_and_the_rows_that_were_asked_for() -> None:
    rows = "\n".join(f"| service {number} | €{number} |" for number in range(20))
    table = f"| Service | Price |\n|---|---|\n{rows}\n| Banker's draft | €7 |"
    found = quoted("What does a banker's draft cost?", passage(table, "Prices"))
    assert found.text == "| Service | Price |\n|---|---|\n| Banker's draft | €7 |"


SAVINGS = "| Product | Rate |\n|---|---|\n| Saver | 1.75% |\n| Saver, for a month | 1.80% |\n| Fixed deposit | 2.60% |"


def test_what_title_and_header_say_chooses_no_row() -> None:
    found = passage(SAVINGS, "Rates").model_copy(update={"title": "Savings rates"})
    assert quoted("What is the best rate for savings?", found).text == SAVINGS
    assert quoted("What is the rate of a fixed deposit?", found).text.count("\n") == 2


def test_what_only_stands_beside_the_first_cell_chooses_no_row_of_a_short_table() -> None:
    table = "| Transfer | Price |\n|---|---|\n| SEPA | free |\n| SWIFT | €12 plus the other bank's |"
    asked = "How long does a transfer to another bank take?"
    assert quoted(asked, passage(table, "Prices")).text == table
    long = table + "".join(f"\n| kind {number} | free |" for number in range(6))
    assert quoted(asked, passage(long, "Prices")).text.count("\n") == 2


def test_steps_are_quoted_to_those_who_ask_what_to_do() -> None:
    steps, prices = (
        "1. Freeze the lost card.\n2. Call the bank.",
        "A lost card costs €8" + " and so on" * 50 + ".",
    )
    passages = passage(prices, "Prices"), passage(steps, "Steps")
    assert quoted("I lost my card, what do I do?", *passages).text == steps


def test_a_sentence_that_leads_into_a_list_comes_with_it() -> None:
    steps = "To freeze a card:\n\n1. Open the app.\n2. Tap freeze."
    found = quoted("How do I freeze my card?", passage(f"{steps}\n\nOther text.", "Steps"))
    assert found.text == steps


def test_a_second_block_that_says_about_as_much_is_quoted_too_where_there_is_room() -> None:
    prices = "A gold card costs €8 abroad.\n\nBranches are open.\n\nA gold card costs €9 abroad at night."
    asked = "What does a gold card cost abroad?"
    assert quoted(asked, passage(prices, "Prices")).text == prices.replace("Branches are open.\n\n", "")
    long = "A gold card costs €8 abroad " + "and so on " * 40 + "."
    assert quoted(asked, passage(f"{long}\n\n{long} So it is.", "Prices")).text.count("€8") == 1


def test_a_chinese_sentence_is_not_cut_at_its_semicolon() -> None:
    filler = "本行成立很久。网点有五个。总部在市中心。"
    asked = quoted("硬币收费多少？", passage(f"{filler}纸币免费。硬币收费 5 欧元；青少年免费。", "费用"))
    assert asked.text.endswith("硬币收费 5 欧元；青少年免费。")


def test_chinese_sentences_are_joined_without_a_gap() -> None:
    filler = "本行成立已久。网点遍布各地。员工十分友善。"
    found = quoted("补办银行卡收费", passage(filler + "补办银行卡收费八欧元。银行卡寄送到家。", "费用"))
    assert found.text == "网点遍布各地。员工十分友善。补办银行卡收费八欧元。"
