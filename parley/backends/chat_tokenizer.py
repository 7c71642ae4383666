"""A model folder's tokenizer and chat template without transformers: `tokenizers` and Jinja, with the same result.

The template's environment is that of transformers 5.19 (`transformers/utils/chat_template_utils.py`): sandboxed, with `raise_exception`,
`strftime_now`, a `tojson` that escapes no HTML, loop controls, and `generation` blocks.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from parley.backends.json_files import read_object
from parley.domain.prompting import without_control
from parley.errors import ConfigurationError, RequestRefused
from parley.ports.engine import ChatMessage

TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
TEMPLATE_FILE = "chat_template.jinja"


class ChatTokenizer:
    """Of one model folder; thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Raises `ConfigurationError` naming the file that is missing or damaged."""
        self._tokenizer = _tokenizer(folder / TOKENIZER_FILE)
        file = folder / CONFIG_FILE
        config = read_object(file) if file.is_file() else {}
        self._named = _named_tokens(config)
        self._template = _template(folder, config)
        self._control = frozenset(
            token.content for token in self._tokenizer.get_added_tokens_decoder().values()
        )

    def prompt_ids(self, messages: Sequence[ChatMessage]) -> list[int]:
        """What the model reads before it answers. Raises `RequestRefused` for messages that its template refuses."""
        # The template writes the beginning of a sequence itself.
        ids: list[int] = self._tokenizer.encode(self.render(messages), add_special_tokens=False).ids
        return ids

    def render(self, messages: Sequence[ChatMessage]) -> str:
        if self._template is None:
            raise RequestRefused("the model has no chat template: give prompt_token_ids instead of messages")
        said = [message._asdict() for message in without_control(messages, self._control)]
        try:
            text: str = self._template.render(
                messages=said, tools=None, documents=None, add_generation_prompt=True, **self._named
            )
        except Exception as error:  # a template raises what it likes, about roles above all
            raise RequestRefused(
                f"the model's chat template refuses these messages ({type(error).__name__})"
            ) from error
        # Lone surrogates can stand in a Python text and in no UTF-8; the tokenizer would raise.
        return text.encode("utf-8", "replace").decode("utf-8")

    def stream(self) -> "TextStream":
        return TextStream(self._tokenizer)


class TextStream:
    """The text of one completion, token by token; half a character is held back until the rest of it comes."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._stream = self._begun()

    def take(self, token: int) -> str:
        """What is clear now that this token has come."""
        try:
            return self._stream.step(self._tokenizer, token) or ""
        except Exception as error:
            # A known fault of the library on broken UTF-8 (huggingface/tokenizers, issue 1758), which vLLM begins anew after as well.
            if "Invalid prefix" not in str(error):
                raise
            self._stream = self._begun()
            return self._stream.step(self._tokenizer, token) or ""

    def _begun(self) -> Any:
        from tokenizers.decoders import DecodeStream

        return DecodeStream(skip_special_tokens=True)


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    if not file.is_file():
        raise ConfigurationError(f"{file}: is missing; a model folder has a fast tokenizer's file")
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exceptions
        raise ConfigurationError(f"{file}: is damaged, or not of the library tokenizers") from error


def _named_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """`bos_token` and the like, which templates may name."""
    told = {name: value for name, value in config.items() if name.endswith("_token")}
    found = {name: value["content"] if isinstance(value, dict) else value for name, value in told.items()}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _template(folder: Path, config: Mapping[str, Any]) -> Any:
    """None for a model without one."""
    file = folder / TEMPLATE_FILE
    source = file.read_text(encoding="utf-8") if file.is_file() else config.get("chat_template")
    if isinstance(source, list):  # several by name
        source = next((each["template"] for each in source if each["name"] == "default"), None)
    if source is None:
        return None
    try:
        from jinja2 import TemplateError
    except ImportError as error:
        raise ConfigurationError(
            "chat templates need the package jinja2: install parley with the extra `onnx`"
        ) from error
    try:
        return _environment().from_string(source)
    except TemplateError as error:
        raise ConfigurationError(f"{folder}: its chat template is damaged: {error}") from error


def _environment() -> Any:
    from jinja2 import TemplateError
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):  # type: ignore[misc]  # of a library that is not read
        """`{% generation %}` marks what a training would learn; here it is just text."""

        tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def tojson(value: object, **options: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **options})

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment
