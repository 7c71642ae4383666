"""How well somebody masks: what of the personal data is gone, and what is gone besides."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import process_time

from parley.cli.masking_files import Marked, Stretch

Finder = Callable[[str], Sequence[Stretch]]


@dataclass(frozen=True, slots=True)
class Scores:
    """A value is found when not one letter or digit of it is left, a look-alike is masked when one of it is gone."""

    values: Counter[str]
    found: Counter[str]
    right_kind: int
    look_alikes: int
    masked: int
    missed: tuple[tuple[Marked, Stretch], ...]
    taken: tuple[tuple[Marked, Stretch], ...]
    ms_per_message: float

    @property
    def recall(self) -> float:
        return _share(self.found.total(), self.values.total())

    @property
    def false_masks(self) -> float:
        return _share(self.masked, self.look_alikes)

    def line(self) -> dict[str, object]:
        return {
            "recall": round(self.recall, 4),
            "false_masks": round(self.false_masks, 4),
            "right_kind": round(_share(self.right_kind, self.found.total()), 4),
            "values": self.values.total(),
            "look_alikes": self.look_alikes,
            "by_kind": {
                kind: round(self.found[kind] / count, 4) for kind, count in sorted(self.values.items())
            },
            "ms_per_message": round(self.ms_per_message, 4),
        }


def measure(rows: Sequence[Marked], find: Finder) -> Scores:
    began = process_time()
    found = [find(row.text) for row in rows]
    ms = (process_time() - began) * 1000 / max(1, len(rows))
    pairs = list(zip(rows, found, strict=True))
    values = [(row, value, by) for row, by in pairs for value in row.values]
    alikes = [(row, alike, by) for row, by in pairs for alike in row.look_alikes]
    whole = [(row, value, by) for row, value, by in values if _left(row.text, value, by) == 0]
    taken = tuple((row, alike) for row, alike, by in alikes if _touched(row.text, alike, by))
    return Scores(
        values=Counter(value.kind for _, value, _ in values),
        found=Counter(value.kind for _, value, _ in whole),
        right_kind=sum(
            any(_overlap(value, one) and one.kind == value.kind for one in by) for _, value, by in whole
        ),
        look_alikes=len(alikes),
        masked=len(taken),
        missed=tuple((row, value) for row, value, by in values if _left(row.text, value, by)),
        taken=taken,
        ms_per_message=ms,
    )


def _left(text: str, value: Stretch, found: Iterable[Stretch]) -> int:
    """How many letters and digits are still there."""
    gone = {at for one in found for at in range(max(one.start, value.start), min(one.end, value.end))}
    return sum(text[at].isalnum() and at not in gone for at in range(value.start, value.end))


def _touched(text: str, alike: Stretch, found: Sequence[Stretch]) -> bool:
    signs = sum(character.isalnum() for character in text[alike.start : alike.end])
    return _left(text, alike, found) < signs


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one.start < other.end and other.start < one.end


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
