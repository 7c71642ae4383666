"""How well intents are recognised: fit on one set of texts, measure on another; confusions and labels that look wrong. No input or output here."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from parley.cli.intent_files import Labelled, LabelledTexts
from parley.cli.intent_models import Recogniser, fitted
from parley.ports.models import Encoder

if TYPE_CHECKING:
    from numpy import bool_, float32
    from numpy.typing import NDArray

    Floats = NDArray[float32]
    Truths = NDArray[bool_]

BINS = 15
TIMED = 200
EXAMPLES = 3
MISLABELS = 20


@dataclass(frozen=True, slots=True)
class Confusion:
    """Texts of one intent that were taken for another."""

    intent: str
    taken_for: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mislabel:
    """An example whose own intent is unlikely by all the others' account (English only)."""

    line: int
    text: str
    intent: str
    likelier: str
    probability: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares from 0 to 1; None where the test set has nothing to measure them on. `accuracy` is before refusal, in scope."""

    accuracy: float
    macro_f1: float
    ece: float
    oos_recall: float | None
    false_oos: float
    ms_per_message: float
    fit_s: float
    #: With several intents a text: over all of them together.
    micro_f1: float | None = None
    confusions: tuple[Confusion, ...] = ()
    mislabels: tuple[Mislabel, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)

    def line(self) -> dict[str, float | None]:
        names = ("accuracy", "macro_f1", "ece", "oos_recall", "false_oos", "ms_per_message")
        found: dict[str, float | None] = {name: _rounded(getattr(self, name)) for name in names}
        if self.micro_f1 is not None:
            found["micro_f1"] = _rounded(self.micro_f1)
        return found


def measure(
    encoders: Mapping[str, Encoder], train: LabelledTexts, test: LabelledTexts, oos_label: str | None
) -> Scores:
    """Raises ValueError where the training texts have fewer than two intents in scope, or the test none."""

    known = tuple(row for row in train.rows if oos_label not in row.intents)
    inside = [row for row in test.rows if oos_label not in row.intents]
    outside = [row for row in test.rows if oos_label in row.intents]
    if not inside:
        raise ValueError("the test has no text in scope")
    began = perf_counter()
    model = fitted(encoders, LabelledTexts(known, train.several))
    fit_s = perf_counter() - began
    probabilities, refused = _apply(model, inside)
    target = _targets(model.intents, inside)
    said = (probabilities >= 0.5).astype(target.dtype) if train.several else _one_hot(probabilities)
    right = (said == target).all(axis=1)
    right &= [set(row.intents) <= set(model.intents) for row in inside]
    if train.several:
        ece = _ece(probabilities.ravel(), target.ravel() > 0)
    else:
        ece = _ece(probabilities.max(axis=1), right)
    macro_f1, micro_f1 = _f1(said, target)
    suspects = () if train.several or model.held_out is None else _mislabels(model, model.held_out, known)
    return Scores(
        accuracy=float(right.mean()),
        macro_f1=macro_f1,
        ece=ece,
        oos_recall=float(_apply(model, outside)[1].mean()) if outside else None,
        false_oos=float(refused.mean()),
        ms_per_message=_ms(model, inside),
        fit_s=fit_s,
        micro_f1=micro_f1 if train.several else None,
        confusions=() if train.several else _confusions(model.intents, probabilities, inside),
        mislabels=suspects,
        counts={"train": len(known), "test": len(inside), "oos": len(outside), "intents": len(model.intents)},
    )


def _apply(model: Recogniser, rows: Sequence[Labelled]) -> "tuple[Floats, Truths]":
    return model.apply([row.text for row in rows])


def _ms(model: Recogniser, rows: Sequence[Labelled]) -> float:
    """One message after the other, as a customer waits for it: the median."""
    taken = []
    for row in rows[:TIMED]:
        began = perf_counter()
        _apply(model, [row])
        taken.append(perf_counter() - began)
    return sorted(taken)[len(taken) // 2] * 1000


def _targets(intents: Sequence[str], rows: Sequence[Labelled]) -> "Floats":
    import numpy as np

    place = {intent: at for at, intent in enumerate(intents)}
    found = np.zeros((len(rows), len(intents)), dtype=np.float32)
    for at, row in enumerate(rows):
        for intent in row.intents:
            if intent in place:  # an intent without examples is never said, so its texts count as wrong
                found[at, place[intent]] = 1
    return found


def _one_hot(probabilities: "Floats") -> "Floats":
    import numpy as np

    found: Floats = np.eye(probabilities.shape[1], dtype=np.float32)[probabilities.argmax(axis=1)]
    return found


def _f1(said: "Floats", target: "Floats") -> tuple[float, float]:
    """Macro over the intents of the test, and micro."""
    import numpy as np

    hits, all_said, wanted = (said * target).sum(axis=0), said.sum(axis=0), target.sum(axis=0)
    there = wanted > 0
    macro = np.mean(2 * hits[there] / np.maximum(1, all_said[there] + wanted[there]))
    return float(macro), float(2 * hits.sum() / max(1, all_said.sum() + wanted.sum()))


def _ece(sure: "Floats", right: "Truths") -> float:
    """Expected calibration error in 15 bins of equal width (Guo et al., ICML 2017)."""
    import numpy as np

    bins = np.minimum(BINS - 1, (sure * BINS).astype(int))
    found = 0.0
    for one in range(BINS):
        held = bins == one
        if held.any():
            found += abs(float(sure[held].mean()) - float(right[held].mean())) * float(held.mean())
    return found


def _confusions(
    intents: Sequence[str], probabilities: "Floats", rows: Sequence[Labelled]
) -> tuple[Confusion, ...]:
    """Most frequent first."""
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row, best in zip(rows, probabilities.argmax(axis=1), strict=True):
        if intents[best] != row.intents[0]:
            texts[row.intents[0], intents[best]].append(row.text)
    order = sorted(texts.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Confusion(intent, other, tuple(some)) for (intent, other), some in order)


def _mislabels(model: Recogniser, held_out: "Floats", rows: Sequence[Labelled]) -> tuple[Mislabel, ...]:
    """Confident learning (Northcutt, Jiang, Chuang, JAIR 2021): another intent is at least as likely as it is for its own examples on
    average, and likelier than the label. Surest first.
    """
    intents = model.intents
    place = {intent: at for at, intent in enumerate(intents)}
    own = [place[row.intents[0]] for row in rows]
    counts = Counter(own)
    usual = [0.0] * len(intents)
    for row, at in zip(held_out, own, strict=True):
        usual[at] += float(row[at]) / counts[at]
    found = []
    for row, probabilities, at in zip(rows, held_out, own, strict=True):
        best = int(probabilities.argmax())
        if best != at and probabilities[best] >= usual[best]:
            found.append(Mislabel(row.line, row.text, intents[at], intents[best], float(probabilities[best])))
    return tuple(sorted(found, key=lambda each: -each.probability))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
