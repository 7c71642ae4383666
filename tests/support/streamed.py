"""What of a text a customer sees while it is written, a few characters at a time."""

from collections.abc import Callable, Iterable, Sequence

from parley.domain.guard import check, check_against
from schemas.parts import Passage
from workers.inference.streaming import Stream


def streamed(text: str, sources: tuple[str, ...]) -> str:
    return _through(text, lambda sentence: check_against(sentence, sources).passed)


def streamed_from(text: str, passages: Sequence[Passage]) -> str:
    return _through(text, lambda sentence: check(sentence, passages).passed)


def _through(text: str, passes: Callable[[str], bool], piece: int = 3) -> str:
    left: list[str] = []
    stream = Stream(passes, lambda index, delta: left.append(delta))
    for part in _pieces(text, piece):
        stream.write(part)
    stream.finish()
    return "".join(left)


def _pieces(text: str, size: int) -> Iterable[str]:
    return (text[at : at + size] for at in range(0, len(text), size))
