"""What recognises intents in a measurement: what the platform uses for texts in the language of the examples. No input or output here."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parley.backends import kernel_head, linear
from parley.backends.encoded_intents import new_names, readable
from parley.cli.intent_files import Labelled, LabelledTexts
from parley.ports.models import Encoder

if TYPE_CHECKING:
    from numpy import bool_, float32
    from numpy.typing import NDArray

    Floats = NDArray[float32]
    Truths = NDArray[bool_]


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Fitted on examples. `apply` gives the probabilities (texts, intents), and which texts are refused as out of scope (texts)."""

    intents: Sequence[str]
    apply: "Callable[[Sequence[str]], tuple[Floats, Truths]]"
    #: (examples, intents): the probabilities of each example by all the others' account; None where they are not to be had.
    held_out: "Floats | None" = None


def fitted(encoders: Mapping[str, Encoder], examples: LabelledTexts) -> Recogniser:
    """By the encoder that can read most of the examples, by n-grams where none can read half; several intents a text always by an encoder.

    Raises ValueError where the examples have fewer than two intents.
    """
    read = {language: sum(readable(row.text, language) for row in examples.rows) for language in encoders}
    language = max(read, key=lambda each: read[each])
    if examples.several or 2 * read[language] >= len(examples.rows):
        return _by_encoder(encoders[language], examples, _names(examples, language))
    return _by_n_grams(examples)


def _by_encoder(encoder: Encoder, examples: LabelledTexts, names: Sequence[Labelled]) -> Recogniser:
    rows = [*examples.rows, *names]
    texts, labels = [row.text for row in rows], [row.intents for row in rows]
    found = kernel_head.fit(texts, encoder.encode(texts), labels, several=examples.several, names=len(names))
    head = found.head

    def apply(asked: Sequence[str]) -> "tuple[Floats, Truths]":
        said = [linear.bare(text) for text in asked]
        cosines = head.cosines(encoder.encode(said))
        return head.probabilities(head.scores(said, cosines)), head.nearness(cosines) < head.reach

    return Recogniser(head.intents, apply, found.held_out[: len(examples.rows)])


def _names(examples: LabelledTexts, language: str) -> list[Labelled]:
    """What a tenant's intents have as their titles: labels such as `card_arrival` say it, `17` or another language's say nothing."""
    labels = sorted({intent for row in examples.rows for intent in row.intents})
    named = [(" ".join(re.split(r"[\W_]+", label)).strip(), label) for label in labels]
    known = [(row.text, "") for row in examples.rows]
    return [
        Labelled(name, (label,), 0) for name, label in new_names(named, known) if readable(name, language)
    ]


def _by_n_grams(examples: LabelledTexts) -> Recogniser:
    import numpy as np

    model = linear.fit([(row.text, row.intents[0]) for row in examples.rows])

    def apply(asked: Sequence[str]) -> "tuple[Floats, Truths]":
        probabilities = np.stack([model.probabilities(text) for text in asked])
        return probabilities, np.array([linear.wordless(text) for text in asked])

    return Recogniser(model.intents, apply)
