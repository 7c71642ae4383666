"""Questions and chunks as vectors, where their language has an encoder; without one they are found by their words alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from parley.domain.chunking import Chunk
from parley.ports.models import Encoder
from schemas.parts import Passage

if TYPE_CHECKING:
    from parley.ports.models import Vector


class Vectors:
    """Implements `parley.ports.models.Embed`. An encoder is opened when the first text needs it: most imports change nothing."""

    def __init__(self, name: str, encoders: Mapping[str, Callable[[], Encoder]]) -> None:
        """`encoders` are by the languages that they know; `name` stands for all of them, so vectors of others are told apart."""
        self.name = name
        self._encoders = encoders

    def __call__(self, chunks: Sequence[Chunk]) -> "list[Vector | None]":
        return self._encoded([(chunk.language, text_of(chunk)) for chunk in chunks])

    def of_questions(self, questions: Sequence[tuple[str, str]]) -> "list[Vector | None]":
        """By language and text."""
        return self._encoded(questions)

    def _encoded(self, texts: Sequence[tuple[str, str]]) -> "list[Vector | None]":
        found: list[Vector | None] = [None] * len(texts)
        for language, opened in self._encoders.items():
            places = [at for at, (of, _) in enumerate(texts) if of == language]
            if places:
                rows = opened().encode([texts[at][1] for at in places])
                for at, row in zip(places, rows, strict=True):
                    found[at] = row
        return found


def text_of(chunk: Chunk) -> str:
    """What of a chunk is encoded, in the form that the encoder was trained on (`workers/retrain/encoder/tasks.py`)."""
    return _joined(chunk.title, chunk.path, chunk.text)


def text_of_passage(passage: Passage) -> str:
    """The same of a passage, which the re-ranker reads."""
    return _joined(passage.title, passage.path, passage.text)


def _joined(title: str, path: Sequence[str], text: str) -> str:
    return ". ".join(part for part in (title, *path, text) if part)
