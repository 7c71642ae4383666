"""Probabilities that mean what they say: overdone and modest scores are brought to the share that is right."""

import numpy as np
import pytest

from parley.backends.calibration import sharpness_of, squash

TEXTS, INTENTS = 600, 4


def said(share_right: float, margin: float, texts: int = TEXTS) -> tuple[np.ndarray, np.ndarray]:
    """Scores (texts, intents), all `margin` for one intent and 0 for others, of which a share is right; and the targets."""
    rng = np.random.default_rng(1)
    guessed = rng.integers(0, INTENTS, texts)
    wrong = np.arange(texts) >= round(share_right * texts)
    eye = np.eye(INTENTS, dtype=np.float32)
    return margin * eye[guessed], eye[(guessed + wrong) % INTENTS]


@pytest.mark.parametrize("margin", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_what_is_said_is_right_as_often(margin: float, share: float) -> None:
    scores, targets = said(share, margin)
    likely = squash(scores, sharpness_of(scores, targets)).max(axis=1).mean()
    assert likely == pytest.approx(share, abs=0.05)


def test_a_few_right_ones_do_not_make_sure() -> None:
    few, many = (
        squash(scores, sharpness_of(scores, targets)).max()
        for scores, targets in (said(1.0, 1.0, texts) for texts in (5, TEXTS))
    )
    assert few < 0.95 < many


def test_rows_add_up_to_one_and_intents_of_their_own_do_not() -> None:
    scores = np.array([[1.0, 0.5, 0.0]], dtype=np.float32)
    assert squash(scores, 3.0).sum() == pytest.approx(1)
    assert squash(scores, 3.0, 0.5)[0, 1] == pytest.approx(0.5)
