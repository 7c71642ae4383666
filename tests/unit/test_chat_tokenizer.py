"""A model folder's tokenizer and chat template; that it renders as transformers does is shown where transformers is."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from parley.backends.chat_tokenizer import ChatTokenizer
from parley.errors import ConfigurationError, RequestRefused
from parley.ports.engine import ChatMessage

pytest.importorskip("jinja2")

SAID = (ChatMessage("user", "Grüß 中 😀 \ud800"),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A token for each byte, and one for the end."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(
        models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|end|>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = {
        "eos_token": {"content": "<|end|>"},
        "chat_template": "{{ messages[0].content }}{{ eos_token }}",
    }
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_prompt_is_what_the_template_says(folder: Path) -> None:
    tokenizer = ChatTokenizer(folder)
    assert tokenizer.render(SAID) == "Grüß 中 😀 ?<|end|>"
    assert len(tokenizer.prompt_ids(SAID)) == len("Grüß 中 😀 ?".encode()) + 1


def test_the_text_comes_back_character_by_character_without_special_tokens(folder: Path) -> None:
    tokenizer = ChatTokenizer(folder)
    stream = tokenizer.stream()
    pieces = [stream.take(token) for token in tokenizer.prompt_ids(SAID)]
    assert "".join(pieces) == "Grüß 中 😀 ?"
    assert all("\ufffd" not in piece for piece in pieces)
    assert "😀" in pieces


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("{{ bos_token }}{{ messages | length }}", "1"),
        ({"default": "a", "tool_use": "b"}, "a"),
    ],
)
def test_where_the_template_stands(folder: Path, written: str | dict[str, str], text: str) -> None:
    if isinstance(written, str):
        (folder / "chat_template.jinja").write_text(written)
    else:
        several = [{"name": name, "template": template} for name, template in written.items()]
        (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": several}))
    assert ChatTokenizer(folder).render(SAID) == text


def test_messages_that_the_template_refuses_are_refused_without_being_quoted(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ raise_exception('no ' + messages[0].content) }}")
    with pytest.raises(RequestRefused, match=r"refuses these messages \(TemplateError\)$"):
        ChatTokenizer(folder).prompt_ids(SAID)


def test_a_template_cannot_reach_out_of_its_box(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(RequestRefused, match="SecurityError"):
        ChatTokenizer(folder).render(SAID)


def test_a_model_without_a_template_takes_no_messages(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(RequestRefused, match="no chat template"):
        ChatTokenizer(folder).render(SAID)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tokenizer.json", None),
        ("tokenizer.json", "{}"),
        ("tokenizer_config.json", "{"),
        ("tokenizer_config.json", "[]"),
        ("chat_template.jinja", "{% for %}"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, file: str, content: str | None) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    with pytest.raises(ConfigurationError, match=str(folder)):
        ChatTokenizer(folder)
