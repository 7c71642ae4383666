"""What the re-ranker learns from: lists with what answers and what does not, altered pairs, a smaller vocabulary. Needs no torch."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from tokenizers import Tokenizer

from parley.backends.onnx_encoder import FOLDER as ENCODER
from parley.backends.onnx_files import TOKENIZER_FILE
from parley.backends.onnx_reranker import FOLDER, LONGEST, QUESTION_TOKENS
from parley.errors import ConfigurationError
from workers.retrain.batches import INTENT_SETS, SEPARATOR
from workers.retrain.prepare import Data, Passages
from workers.retrain.reranker.lists import KEPT, Candidates, Lists, Words, gather
from workers.retrain.reranker.pairs import AlteredDraws, Inputs, LabelledDraws, Pieces
from workers.retrain.reranker.vocabulary import SPECIAL, counted, pruned

SUBJECTS = ("card", "loan", "transfer", "account", "fee", "password", "statement", "branch")
WHOLE = (ENCODER / TOKENIZER_FILE).read_text("utf-8")
SMALL = (FOLDER / TOKENIZER_FILE).read_text("utf-8")


def near(questions: Sequence[str], passages: Sequence[str], most: int) -> list[list[int]]:
    """In the encoder's place: those that share most words."""
    held = [set(passage.lower().split()) for passage in passages]
    return [
        sorted(range(len(passages)), key=lambda at: (-len(held[at] & set(question.lower().split())), at))[
            :most
        ]
        for question in questions
    ]


def passages(prefix: str, title: str = "") -> Passages:
    corpus = [
        (f"{prefix}-{subject}-{number}", title, f"Your {subject} has rule {number} of our house.")
        for subject in SUBJECTS
        for number in range(4)
    ]
    queries = [
        {
            "text": f"what about my {subject} of {prefix}",
            "history": ["hello", "how can I help"],
            "gold": [f"{prefix}-{subject}-0", f"{prefix}-{subject}-1"],
            "dev": subject in ("fee", "branch"),
        }
        for subject in SUBJECTS
    ]
    return Passages(corpus, queries)


@pytest.fixture(scope="module")
def data() -> Data:
    intents = {
        name: [("hello there", "greet"), ("good day", "greet")] for name in (*INTENT_SETS, "clinc_dev")
    }
    return Data(
        retrieval={
            "ask_cfpb": passages("cfpb"),
            "doc2dial": passages("d2d", "Rules"),
            "dstc10_spoken": passages("dstc", "A AND B: Is there parking?"),
        },
        titles=[
            ("site", f"How to close a {subject} {number}", f"Closing a {subject} takes {number} days.")
            for subject in SUBJECTS
            for number in range(3)
        ],
        intents=intents,
        articles=[("Cards", "Loss", "Block the card in the app.")],
        unlabelled=[f"my {subject} is wrong" for subject in SUBJECTS],
    )


@pytest.fixture(scope="module")
def lists(data: Data) -> Lists:
    return gather(data, near, seed=1, most=20)


def tokens(inputs: Inputs) -> list[list[int]]:
    return [list(row[mask == 1]) for row, mask in zip(inputs.ids, inputs.mask, strict=True)]


def test_what_is_held_back_is_in_no_list(lists: Lists) -> None:
    learnt = {each.question.split(SEPARATOR)[0] for each in lists.asked}
    assert learnt == {
        f"what about my {subject} of {prefix}"
        for subject in SUBJECTS
        for prefix in ("cfpb", "d2d")
        if subject not in ("fee", "branch")
    }
    assert {name: len(found) for name, found in lists.held_back.items()} == {
        "ask_cfpb": 2,
        "doc2dial": 2,
        "dstc10_spoken": 8,
    }
    held_back = {each.question for found in lists.held_back.values() for each in found}
    assert not held_back & set(lists.texts())


def test_a_list_holds_nothing_right_among_the_wrong(lists: Lists) -> None:
    assert all(not set(each.right) & set(each.wrong) for each in lists.labelled)
    assert all(len(each.near) <= KEPT for each in lists.asked)
    assert all(each.right == () for each in lists.unlabelled)


def test_titles_of_one_page_are_not_held_against_each_other(data: Data) -> None:
    twice = [*data.titles, *((source, title, f"{text} Again.") for source, title, text in data.titles)]
    both = Data(data.retrieval, twice, data.intents, data.articles, data.unlabelled)
    for each in gather(both, near, seed=1, most=100).titles:
        own = {text for _, title, text in twice if title == each.question}
        assert not own & set(each.near)


def test_one_seed_gives_one_series(data: Data, lists: Lists) -> None:
    assert gather(data, near, seed=1, most=20) == lists
    drawn = [LabelledDraws(lists, 3, 12).draw(5) for _ in range(2)]
    assert drawn[0] == drawn[1]
    altered = [AlteredDraws(lists, Pieces(SMALL), 3, 10).draw(5) for _ in range(2)]
    assert all(np.array_equal(*each) for each in zip(*altered, strict=True))


def test_too_little_data_is_told(data: Data, lists: Lists) -> None:
    bare = Data(data.retrieval, [], data.intents, data.articles, data.unlabelled)
    with pytest.raises(ConfigurationError, match="no lists of titles"):
        gather(bare, near, seed=1, most=20)
    with pytest.raises(ConfigurationError, match="no list has 100 passages"):
        AlteredDraws(lists, Pieces(SMALL), 1, 100)


def test_words_find_passages_that_share_rare_ones() -> None:
    words = Words(["the card is lost", "the loan is paid", "the card and the loan"])
    assert words.nearest('a "LOAN", paid?', 2) == [1, 2]
    assert words.nearest("汉 ?!", 2) == []
    assert words.nearest(f"paid{SEPARATOR}sep", 2) == [1]
    words.close()


def test_a_drawn_list_begins_with_what_is_right(lists: Lists) -> None:
    right = {(each.question, passage) for each in lists.labelled for passage in each.right}
    drawn = LabelledDraws(lists, 1, 12).draw(50)
    assert len(drawn) == 50 * 12
    for start in range(0, len(drawn), 12):
        assert drawn[start] in right
        assert len({question for question, _ in drawn[start : start + 12]}) == 1


def test_a_pair_is_laid_out_as_the_platform_lays_it_out() -> None:
    pieces = Pieces(SMALL)
    begin, between = (Tokenizer.from_str(SMALL).token_to_id(name) for name in ("[CLS]", "[SEP]"))
    made = pieces.inputs([("lost card", "Block the card in the app."), ("fee", "None.")])
    question, passage = pieces.ids("lost card"), pieces.ids("Block the card in the app.")
    assert tokens(made)[0] == [begin, *question, between, *passage, between]
    assert list(made.types[0][: len(question) + 2]) == [0] * (len(question) + 2)
    assert made.types[0].sum() == len(passage) + 1
    assert made.ids.shape[1] % 8 == 0 and not made.ids[made.mask == 0].any()


def test_long_texts_are_cut() -> None:
    made = Pieces(SMALL).inputs([("money " * 100, "weather " * 300)])
    assert made.ids.shape == (1, LONGEST) and made.mask.all()
    assert made.types.sum() == LONGEST - QUESTION_TOKENS - 2


def test_altered_lists_are_as_long_as_asked_for(lists: Lists) -> None:
    draws = AlteredDraws(lists, Pieces(SMALL), 1, 10)
    made = draws.draw(30)
    assert len(made.ids) == 300 and len(draws) >= 30
    # One question a list, whatever became of it.
    for start in range(0, 300, 10):
        asked = {
            tuple(row[: int(np.argmax(types))])
            for row, types in zip(made.ids[start : start + 10], made.types[start : start + 10], strict=True)
        }
        assert len(asked) == 1


def test_several_right_answers_may_stand_in_one_list() -> None:
    each = Candidates("q", ("a", "b"), tuple(f"w{number}" for number in range(12)))
    draws = AlteredDraws(Lists(asked=[each]), Pieces(SMALL), 1, 10)
    assert len(draws) == 2


def test_a_smaller_vocabulary_keeps_what_is_frequent() -> None:
    text = "overdraft reimbursement, Überweisung 42!"
    small, order = pruned(WHOLE, counted(WHOLE, [text] * 3), 2000)
    before, after = Tokenizer.from_str(WHOLE), Tokenizer.from_str(small)
    before.no_padding()
    before.no_truncation()
    assert after.get_vocab_size() == len(order) == 2000
    assert after.encode(text).tokens == before.encode(text).tokens
    assert [order[id_] for id_ in after.encode(text).ids] == before.encode(text).ids
    assert after.token_to_id("[PAD]") == 0


def test_rare_words_are_spelled(data: Data) -> None:
    small, _ = pruned(WHOLE, counted(WHOLE, []), 1000)
    found = Tokenizer.from_str(small).encode("xylophone zürich").tokens
    assert "[UNK]" not in found
    assert "".join(found[1:-1]).replace("##", "") == "xylophonezurich"


@pytest.mark.parametrize("size", [100, 40_000])
def test_a_vocabulary_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(ConfigurationError, match=f"vocabulary of {size}"):
        pruned(WHOLE, counted(WHOLE, []), size)


def test_another_kind_of_tokenizer_is_refused() -> None:
    other = json.loads(WHOLE)
    other["model"]["type"] = "BPE"
    with pytest.raises(ConfigurationError, match="BPE"):
        pruned(json.dumps(other), counted(WHOLE, []), 2000)


def test_the_shipped_tokenizer_is_a_part_of_the_encoders() -> None:
    small, whole = json.loads(SMALL), json.loads(WHOLE)
    assert len(small["model"]["vocab"]) == 14_000
    assert set(small["model"]["vocab"]) <= set(whole["model"]["vocab"])
    assert [each["content"] for each in small["added_tokens"]] == list(SPECIAL)
    assert small["padding"] is None and small["truncation"] is None
    assert SMALL.count("\n") == 0
