"""From a request to token ids, by the model's own chat template."""

from typing import Any

from parley.domain.prompting import without_control
from parley.errors import PromptTooLong, RequestRefused
from parley.ports.engine import CompletionRequest

HALF_CHARACTER = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer decodes the bytes of an unfinished character to."""


class Prompts:
    """Of one loaded model. `tokenizer` is its Hugging Face tokenizer, None for a model without one."""

    def __init__(self, tokenizer: Any, context_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._context = context_tokens
        self._control = frozenset(tokenizer.get_added_vocab()) if tokenizer is not None else frozenset()

    @property
    def has_tokenizer(self) -> bool:
        return self._tokenizer is not None

    def token_ids(self, request: CompletionRequest) -> list[int]:
        """Raises `PromptTooLong` where the context leaves no room for one token more, and `RequestRefused`."""
        if request.prompt_token_ids is not None:
            tokens = list(request.prompt_token_ids)
        else:
            tokens = self._by_template(request)
        if not tokens:
            raise RequestRefused("the prompt is empty: give messages or prompt_token_ids")
        if len(tokens) >= self._context:
            raise PromptTooLong(len(tokens), self._context)
        return tokens

    def room(self, tokens: list[int], wanted: int) -> int:
        """How many tokens a completion of this prompt may have."""
        return min(wanted, self._context - len(tokens))

    def written(self, request: CompletionRequest) -> list[int]:
        """What the completion had before, without half a character at the end: its text has not been told, and a prompt that ends with one
        confuses the decoding of what follows. Raises `RequestRefused` where it cannot go on.
        """
        written = list(request.written)
        if written and (request.stop or self._tokenizer is None):
            raise RequestRefused("written: cannot go on with `stop`, nor without a tokenizer")
        if len(written) >= request.max_tokens:
            raise RequestRefused(
                f"written: has {len(written)} tokens; allowed: less than max_tokens, {request.max_tokens}"
            )
        # Special tokens have no text, so half a character may stand before them: vLLM's decoding skips them as well.
        while written and self._tokenizer.decode(written, skip_special_tokens=True).endswith(HALF_CHARACTER):
            written.pop()
        return written

    def _by_template(self, request: CompletionRequest) -> list[int]:
        if self._tokenizer is None:
            raise RequestRefused("this model has no tokenizer: give prompt_token_ids instead of messages")
        said = [message._asdict() for message in without_control(request.messages, self._control)]
        if not said:
            return []
        try:
            text = self._tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # a template raises what it likes, about roles above all
            raise RequestRefused(f"the model's chat template refuses these messages: {error}") from error
        # The template writes the beginning of a sequence itself.
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens
