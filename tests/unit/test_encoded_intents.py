"""The head on sentence vectors: calibrated, refuses what is far from all examples, keeps its file; Chinese goes to the n-grams."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from parley.backends import head_files, kernel_head
from parley.backends.encoded_intents import EncodedClassifier
from parley.backends.kernel_head import fit
from parley.backends.linear import LinearClassifier
from parley.backends.onnx_encoder import shared
from parley.backends.tenant_folder import load as load_tenant
from parley.cli import intent_models
from parley.cli.intent_files import Labelled, LabelledTexts
from schemas.base import TenantId

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {
    "lost_card": [
        "I lost my card",
        "my card is gone",
        "I can't find my debit card",
        "someone stole my card",
        "my card was stolen",
        "card missing since yesterday",
    ],
    "balance": [
        "what is my balance",
        "how much money do I have",
        "show me my balance",
        "how much is in my account",
        "tell me my account balance",
        "current balance please",
    ],
    "opening_hours": [
        "when are you open",
        "opening hours of the branch",
        "are you open on Sunday",
        "what time does the branch close",
        "when does the branch open",
        "is the branch open today",
    ],
}
PAIRS = [(text, intent) for intent, texts in EXAMPLES.items() for text in texts]
TEXTS = [text for text, _ in PAIRS]


def fitted(**more: bool) -> kernel_head.Fitted:
    return fit(TEXTS, shared().encode(TEXTS), [(intent,) for _, intent in PAIRS], **more)


def probabilities(head: kernel_head.Head, texts: list[str]) -> np.ndarray:
    return head.probabilities(head.scores(texts, head.cosines(shared().encode(texts))))


def test_finds_the_intent_of_new_words() -> None:
    head = fitted().head
    asked = ["my bank card disappeared", "how much cash is left on my account", "do you close at five?"]
    best = probabilities(head, asked).argmax(axis=1)
    assert [head.intents[at] for at in best] == ["lost_card", "balance", "opening_hours"]


def test_probabilities_add_up_to_one() -> None:
    rows = probabilities(fitted().head, ["", "my card", "\x00", "😀"])
    assert rows.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_the_same_examples_give_the_same_head() -> None:
    one, other = fitted().head, fitted().head
    assert (one.weights == other.weights).all() and one.sharpness == other.sharpness


def test_leaving_one_out_is_what_a_fit_without_it_says() -> None:
    vectors = shared().encode(TEXTS)
    targets = np.array([[intent == each for each in EXAMPLES] for _, intent in PAIRS], dtype=np.float32)
    targets -= targets.mean(axis=0)
    grams = kernel_head._grams(TEXTS).matrix(TEXTS)
    *_, left_out = kernel_head._solve(vectors, grams, targets)
    kept = np.arange(len(TEXTS)) != 4
    kernel = (1 - kernel_head.GRAMS) * kernel_head._near(vectors @ vectors.T)
    kernel += kernel_head.GRAMS * (grams @ grams.T).toarray()
    system = kernel[kept][:, kept] + kernel_head.RIDGE * np.eye(int(kept.sum()))
    expected = kernel[4, kept] @ np.linalg.solve(system, targets[kept])
    assert left_out[4] == pytest.approx(expected, abs=1e-4)


def test_a_part_of_many_examples_does_as_well_as_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = probabilities(fitted().head, TEXTS)
    monkeypatch.setattr(kernel_head, "LANDMARKS", 12)
    part = fitted()
    assert len(part.head.weights) == 12 and len(part.head.examples) == len(TEXTS)
    assert (probabilities(part.head, TEXTS).argmax(axis=1) == whole.argmax(axis=1)).mean() > 0.9
    assert (part.held_out.argmax(axis=1) == whole.argmax(axis=1)).mean() > 0.7


def test_what_is_far_from_all_examples_is_beyond_reach() -> None:
    head = fitted().head
    near, far = head.nearness(
        head.cosines(shared().encode(["I lost my bank card", "recipe for a lemon cake"]))
    )
    assert near > head.reach > far


def test_what_an_intent_is_called_teaches_it_and_says_nothing_of_the_scope() -> None:
    pairs = [*PAIRS, ("recipes for lemon cakes", "balance"), ("the weather at sea", "opening_hours")]
    texts, labels = [text for text, _ in pairs], [(intent,) for _, intent in pairs]
    with_names = fit(texts, shared().encode(texts), labels, names=2)
    as_examples = fit(texts, shared().encode(texts), labels)
    [best] = probabilities(with_names.head, ["a recipe for lemon cake"]).argmax(axis=1)
    assert with_names.head.intents[best] == "balance"
    assert with_names.held_out.shape == (len(pairs), 3)
    assert (with_names.head.weights == as_examples.head.weights).all()
    assert with_names.head.reach == pytest.approx(fitted().head.reach, abs=1e-6)
    assert as_examples.head.reach < with_names.head.reach


@pytest.mark.parametrize(
    ("label", "name"), [("card_arrival", "card arrival"), ("17", None), ("卡_丢失", None)]
)
def test_a_label_is_a_name_where_its_language_has_words_for_it(label: str, name: str | None) -> None:
    examples = LabelledTexts((Labelled("where is my card", (label,), 1),), several=False)
    assert [each.text for each in intent_models._names(examples, "en")] == ([] if name is None else [name])
    assert all(each.intents == (label,) for each in intent_models._names(examples, "en"))


def test_one_intent_is_too_few() -> None:
    with pytest.raises(ValueError, match="two intents"):
        fit(["a", "b"], shared().encode(["a", "b"]), [("x",), ("x",)])


def test_several_intents_may_be_said_at_once() -> None:
    texts = [
        *TEXTS,
        *(f"{a} and {b}" for a, b in zip(EXAMPLES["balance"], EXAMPLES["lost_card"], strict=True)),
    ]
    labels = [*((intent,) for _, intent in PAIRS), *([("balance", "lost_card")] * 6)]
    head = fit(texts, shared().encode(texts), labels, several=True).head
    said = probabilities(head, ["I want my balance and my card has been stolen", "are you open now"]) >= 0.5
    assert [{head.intents[at] for at in np.flatnonzero(row)} for row in said] == [
        {"balance", "lost_card"},
        {"opening_hours"},
    ]


def test_a_kept_head_is_the_same(tmp_path: Path) -> None:
    head = fitted().head
    file = tmp_path / "head.npz"
    head_files.save(head, file)
    kept = head_files.load(file)
    assert kept is not None
    assert (probabilities(kept, TEXTS) == probabilities(head, TEXTS)).all() and kept.reach == head.reach
    file.write_bytes(file.read_bytes()[:500])
    assert head_files.load(file) is None
    file.write_bytes(b"")
    assert head_files.load(file) is None
    assert head_files.load(tmp_path / "none.npz") is None


def test_arrays_that_do_not_fit_together_are_no_head(tmp_path: Path) -> None:
    head = fitted().head
    file = tmp_path / "head.npz"
    head_files.save(replace(head, weights=head.weights[:, :1]), file)
    assert head_files.load(file) is None


def test_english_by_the_encoder_and_chinese_by_n_grams(tmp_path: Path) -> None:
    tenant = load_tenant(ROOT / "tenants" / "bank")
    config, content = tenant.config, tenant.content
    classifier = EncodedClassifier({"en": shared()}, LinearClassifier(), tmp_path)
    bank = TenantId("bank")
    assert not classifier.ready(bank, "1")
    classifier.prepare(bank, "1", config, content)
    assert classifier.ready(bank, "1")
    english, chinese, nonsense = classifier.classify(
        bank, "1", ["I lost my card", "我的卡丢了", "the mitochondria is the powerhouse of the cell"]
    )
    assert english.language == "en" and "card" in english.intents[0].intent
    assert chinese.language == "zh" and chinese.intents
    assert nonsense.intents == ()
    again = EncodedClassifier({"en": shared()}, LinearClassifier(), tmp_path)
    again.prepare(bank, "1", config, content)
    assert again.classify(bank, "1", ["I lost my card"]) == [english]
