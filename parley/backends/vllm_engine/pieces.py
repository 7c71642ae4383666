"""From what vLLM tells about a completion to the port's pieces."""

from typing import Any

from parley.errors import GeneratorUnavailable
from parley.ports.engine import Finish, Piece

#: vLLM's reasons (`vllm.v1.engine.FINISH_REASON_STRINGS`); `error` is the one that is missing.
FINISHES: dict[str, Finish] = {"stop": "stop", "repetition": "stop", "length": "length", "abort": "abort"}


class Pieces:
    """Makes the pieces of one completion, in order, and counts its tokens."""

    __slots__ = ("_logprobs", "_prompt", "_rewritten", "_written")

    def __init__(
        self, prompt_tokens: int, *, logprobs: bool = False, written: int = 0, rewritten: int = 0
    ) -> None:
        """`written`: tokens that the completion had before; `rewritten`: those after them that are written anew."""
        self._prompt = prompt_tokens
        self._logprobs = logprobs
        self._written = written
        self._rewritten = rewritten

    def make(self, output: Any) -> Piece:
        """Of a `RequestOutput` that holds what is new. Raises `GeneratorUnavailable` for a completion that the engine gave up."""
        told = output.outputs[0]
        tokens = tuple(told.token_ids)
        self._written += len(tokens)
        values = _logprobs(tokens, told.logprobs) if self._logprobs else ()
        rewritten, self._rewritten = self._rewritten, 0
        if not output.finished:
            return Piece(told.text, tokens, values, rewritten=rewritten)
        finish = FINISHES.get(told.finish_reason)
        if finish is None:
            raise GeneratorUnavailable(f"the engine gave this completion up ({told.finish_reason})")
        return Piece(told.text, tokens, values, finish, self._prompt, self._written, rewritten)


def _logprobs(tokens: tuple[int, ...], told: Any) -> tuple[float, ...]:
    """Of each token; an aborted completion's last output may repeat all earlier ones, hence as many as there are tokens."""
    if not told:
        return ()
    return tuple(position[token].logprob for token, position in zip(tokens, told, strict=False))
