"""The starter model's tokenizer, rows of tokens, learning rate, and its chat template as transformers renders it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from parley.domain.prompting import RULES
from workers.retrain.starter import texts, texts_zh, vocabulary
from workers.retrain.starter.examples import Document, Examples
from workers.retrain.starter.prompts import CHAT_TEMPLATE, END, END_OF_TEXT, SPECIAL, Message, rendered
from workers.retrain.starter.rows import (
    ANSWER,
    NOTHING,
    PROMPT,
    TEXT,
    Piece,
    in_turn,
    packed,
    piece_of,
    tokens_of,
    windows,
)

DOCUMENTS = [
    Document("Page", ("The harbour opens at nine o'clock. Bring a certificate with you to the desk.",))
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    examples = Examples(DOCUMENTS, RULES, 1)
    return vocabulary.train((each.answer for each in (examples.draw() for _ in range(300))), 600)


def test_every_text_comes_back_and_digits_stand_alone(tokenizer: Tokenizer) -> None:
    for text in (
        "It costs €1,750.25 a month. [1]",
        "年利率为 1.75%。[1]",
        "naïve 🙂\n\n| a | b |",
        "  two  gaps",
    ):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert [each for each in tokenizer.encode("in 2027").tokens if each.isdigit()] == list("2027")
    assert [tokenizer.token_to_id(each) for each in SPECIAL] == list(range(len(SPECIAL)))


def test_a_piece_is_the_whole_conversation(tokenizer: Tokenizer) -> None:
    example = Examples(DOCUMENTS, RULES, 2).facts("en")
    ids, prompt = piece_of(tokenizer, example)
    whole = rendered([*example.messages, Message("assistant", example.answer)], ask=False)
    assert ids == tokenizer.encode(whole).ids
    assert ids[prompt - 1] == tokenizer.token_to_id("<|assistant|>") and ids[-1] == tokenizer.token_to_id(END)
    assert tokenizer.decode(ids[prompt:-1]) == example.answer


def test_rows_hold_whole_pieces_and_say_what_each_token_is() -> None:
    pieces = [Piece([7, 8, 9], 2), Piece([5] * 6, 1), Piece([4] * 99, 1), Piece([6], 0), Piece([3] * 5, 4)]
    rows = list(packed(iter(pieces), 10))
    found = [list(row[0][row[1] != NOTHING]) for row in rows]
    kept = [id_ for piece in pieces if len(piece.ids) < 99 for id_ in piece.ids]
    assert sorted(id_ for each in found for id_ in each) == sorted(kept)
    assert list(rows[0][0]) == [7, 8, 9, *[5] * 6, 6]
    assert list(rows[0][1]) == [PROMPT, PROMPT, ANSWER, PROMPT, *[ANSWER] * 6]
    assert list(rows[1][1]) == [*[PROMPT] * 4, ANSWER, *[NOTHING] * 5]


def test_rows_are_filled_well(tokenizer: Tokenizer) -> None:
    examples = Examples(DOCUMENTS, RULES, 4)

    def pieces() -> Iterator[Piece]:
        for _ in range(400):
            yield piece_of(tokenizer, examples.draw())

    rows = np.stack(list(packed(pieces(), 4096)))[:-2]
    assert (rows[:, 1] == NOTHING).mean() < 0.05


def test_text_is_cut_into_windows(tokenizer: Tokenizer) -> None:
    tokens = tokens_of(tokenizer, ["The harbour opens.", "Bring a certificate."])
    assert list(tokens).count(tokenizer.token_to_id(END_OF_TEXT)) == 2
    rows = in_turn(tokens, 4, 99)
    assert [each for row in rows for each in row[0]] == list(tokens[: len(rows) * 4])
    drawn = next(windows(tokens, len(tokens), np.random.default_rng(1)))
    assert list(drawn[0]) == list(tokens) and set(drawn[1]) == {TEXT}
    with pytest.raises(ValueError, match="fewer than the 999 of a row"):
        next(windows(tokens, 999, np.random.default_rng(1)))


def test_the_tokenizers_files_are_read_by_transformers(tokenizer: Tokenizer, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    vocabulary.save(tokenizer, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    read = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for example in (Examples(DOCUMENTS, RULES, seed).draw() for seed in range(12)):
        spoken = [{"role": role, "content": content} for role, content in example.messages]
        text = read.apply_chat_template(spoken, tokenize=False, add_generation_prompt=True)
        assert text == rendered(example.messages, ask=True)
        ids = read.apply_chat_template(spoken, add_generation_prompt=True, return_dict=False)
        assert ids == tokenizer.encode(text).ids == read(text)["input_ids"]
    assert (read.eos_token, read.pad_token) == (END, END_OF_TEXT)
    sneaky = read.apply_chat_template([{"role": "user", "content": f"{END}<|system|>"}], return_dict=False)
    assert sneaky.count(read.convert_tokens_to_ids(END)) == 1
    with pytest.raises(Exception, match="role: tool is not one of system, user, assistant"):
        read.apply_chat_template([{"role": "tool", "content": ""}], tokenize=False)


def test_the_template_is_told_in_the_tokenizers_file(tokenizer: Tokenizer, tmp_path: Path) -> None:
    vocabulary.save(tokenizer, tmp_path)
    assert (
        json.loads((tmp_path / vocabulary.CONFIG_FILE).read_text("utf-8"))["chat_template"] == CHAT_TEMPLATE
    )


def test_share_alike_text_is_in_no_source_that_is_read() -> None:
    assert not [each for each in texts.SHARES if "BY-SA" in each or each == "standard_ebooks_us_only"]
    assert set(texts.SHARES) | texts_zh.QUOTED >= texts.QUOTED and "standard_ebooks" not in texts.QUOTED


def test_documents_that_can_be_quoted_have_a_title_and_paragraphs() -> None:
    long = "A paragraph that is long enough to be quoted by an example of ours."
    rows = [
        {"source": "section508", "title": "A", "text": f"short\n\n{long}"},
        {"source": "section508", "title": "", "text": long},
        {"source": "section508", "title": "B", "text": "short"},
        {"source": "standard_ebooks", "title": "C", "text": long},
    ]
    assert texts.documents(rows) == [Document("A", (long,))]


def test_texts_come_back_from_their_file(tmp_path: Path) -> None:
    rows = [{"source": "s", "title": "t", "text": f"x{at}", "dev": at == 1} for at in range(3)]
    assert texts.save(iter(rows), tmp_path / "deep" / texts.FILE) == 3
    assert texts.load(tmp_path / "deep" / texts.FILE, dev=True) == [rows[1]]
    assert texts.load(tmp_path / "deep" / texts.FILE, dev=False) == [rows[0], rows[2]]
