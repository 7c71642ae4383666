"""Who classifies what: English by the encoder, the rest by n-grams; heads from files; what is wired where the encoder's folder is there or not."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from parley.backends import encoded_intents, onnx_encoder
from parley.backends.encoded_intents import EncodedClassifier
from parley.backends.linear import LinearClassifier
from parley.backends.onnx_encoder import shared
from parley.errors import ConfigurationError
from parley.ports.models import Understanding
from parley.settings import Settings
from schemas.base import TenantId
from schemas.parts import ScoredIntent
from schemas.tenant import TenantConfig, TenantContent
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from workers.wiring import classifier, open_platform


class Others:
    """Notes what it is asked, and knows one answer."""

    name = "others-1"
    answer = Understanding("zh", (ScoredIntent(intent="fees", probability=1.0),))

    def __init__(self) -> None:
        self.asked: list[str] = []

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        pass

    def ready(self, tenant: TenantId, version: str) -> bool:
        return True

    def classify(self, tenant: TenantId, version: str, texts: Sequence[str]) -> list[Understanding]:
        self.asked += texts
        return [self.answer] * len(texts)


class Counted:
    """The real encoder; `texts` counts what it encoded in this process."""

    name = onnx_encoder.NAME

    def __init__(self) -> None:
        self.texts = 0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += len(texts)
        return shared().encode(texts)


def prepared(
    *, folder: Path | None = None, config: TenantConfig = CONFIG, content: TenantContent = CONTENT
) -> tuple[EncodedClassifier, Others]:
    others = Others()
    found = EncodedClassifier({"en": shared()}, others, folder)
    found.prepare(TENANT, VERSION, config, content)
    return found, others


def test_english_goes_to_the_encoder_and_the_order_stays() -> None:
    found, others = prepared()
    texts = ["我的卡丢了", "I lost my card", "手续费多少", "what are the fees"]
    results = found.classify(TENANT, VERSION, texts)
    assert others.asked == ["我的卡丢了", "手续费多少"]
    assert results[0] == results[2] == Others.answer
    assert [results[at].intents[0].intent for at in (1, 3)] == ["card_lost", "fees"]


@pytest.mark.parametrize("text", ["где моя карта", "أين بطاقتي", "汉字字 ok", "мир hi", "1234", "😀", ""])
def test_what_no_encoder_can_read_is_out_of_scope_where_each_language_has_one(text: str) -> None:
    found, others = prepared(config=CONFIG.model_copy(update={"languages": ("en",)}))
    assert found.classify(TENANT, VERSION, [text]) == [Understanding("en", ())]
    assert others.asked == []


@pytest.mark.parametrize("text", ["где моя карта", "1234", "😀", ""])
def test_what_no_encoder_can_read_goes_to_the_others_where_a_language_has_none(text: str) -> None:
    found, others = prepared()
    assert found.classify(TENANT, VERSION, [text]) == [Others.answer]
    assert others.asked == [text]


def test_each_language_goes_to_its_own_encoder() -> None:
    encoders = {"en": shared(), "zh": shared(onnx_encoder.FOLDERS["zh"])}
    others = Others()
    found = EncodedClassifier(encoders, others)
    found.prepare(TENANT, VERSION, CONFIG, CONTENT)
    results = found.classify(TENANT, VERSION, ["我的卡丢了", "what are the fees", "1234", "手续费多少"])
    assert [each.language for each in results] == ["zh", "en", "en", "zh"]
    assert [each.intents[0].intent if each.intents else None for each in results] == [
        "card_lost", "fees", None, "fees",
    ]  # fmt: skip
    assert others.asked == []


def test_no_texts_give_no_results() -> None:
    assert prepared()[0].classify(TENANT, VERSION, []) == []


@pytest.mark.parametrize("text", ["", " \n\t", "😀😀🏦", "?!…", "[card_1]", "\u200b", "\ud800"])
@pytest.mark.parametrize("encoded", [True, False])
def test_a_text_without_a_word_is_out_of_scope(text: str, encoded: bool) -> None:
    linear = LinearClassifier()
    found = EncodedClassifier({"en": shared()}, linear) if encoded else linear
    found.prepare(TENANT, VERSION, CONFIG, CONTENT)
    assert found.classify(TENANT, VERSION, [text]) == [Understanding("en", ())]


def test_what_is_far_from_all_examples_is_out_of_scope() -> None:
    [found] = prepared()[0].classify(TENANT, VERSION, ["the mitochondria is the powerhouse of the cell"])
    assert found == Understanding("en", ())


def test_a_placeholder_changes_nothing() -> None:
    masked, plain = prepared()[0].classify(TENANT, VERSION, ["I lost my card [card_1]", "I lost my card"])
    assert masked == plain


def test_too_few_english_examples_leave_all_to_the_others() -> None:
    chinese = {intent: {"zh": by_language["zh"]} for intent, by_language in CONTENT.examples.items()}
    found, others = prepared(content=CONTENT.model_copy(update={"examples": chinese}))
    assert found.ready(TENANT, VERSION)
    assert found.classify(TENANT, VERSION, ["I lost my card"]) == [Others.answer]
    assert others.asked == ["I lost my card"]


def test_a_head_is_fitted_in_another_process_and_kept(tmp_path: Path) -> None:
    fitted, _ = prepared(folder=tmp_path)
    [file] = tmp_path.iterdir()
    assert file.name == f"{TENANT}-{VERSION}.{encoded_intents.NAME}+{onnx_encoder.NAME}.npz"
    encoder = Counted()
    again = EncodedClassifier({"en": encoder}, Others(), tmp_path)
    again.prepare(TENANT, VERSION, CONFIG, CONTENT)
    assert encoder.texts == 0
    text = ["my card was stolen"]
    assert again.classify(TENANT, VERSION, text) == fitted.classify(TENANT, VERSION, text)


@pytest.mark.parametrize("left", [0, 100], ids=["empty, as after a power cut", "cut short"])
def test_damaged_models_are_made_again(tmp_path: Path, left: int) -> None:
    def start() -> dict[str, int]:
        EncodedClassifier({"en": shared()}, LinearClassifier(tmp_path), tmp_path).prepare(
            TENANT, VERSION, CONFIG, CONTENT
        )
        return {file.name: file.stat().st_size for file in tmp_path.iterdir()}

    sizes = start()
    assert len(sizes) == 2
    for name in sizes:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:left])
    assert start() == sizes


def test_a_folder_that_cannot_be_written_costs_the_next_start_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    found, _ = prepared(folder=blocked)
    assert found.classify(TENANT, VERSION, ["I lost my card"])[0].intents[0].intent == "card_lost"
    assert "could not be kept" in caplog.text


def test_another_process_gets_its_own_encoder() -> None:
    assert pickle.loads(pickle.dumps(shared())) is shared()


def test_the_platform_classifies_by_the_encoder(tmp_path: Path) -> None:
    platform = open_platform(Settings(home=tmp_path))
    try:
        found = classifier(platform)
    finally:
        platform.close()
    assert isinstance(found, EncodedClassifier)
    assert all(name in found.name for name in onnx_encoder.NAMES.values())


def test_without_the_encoder_n_grams_classify_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(onnx_encoder, "FOLDERS", {"en": tmp_path / "none", "zh": tmp_path / "none_zh"})
    platform = open_platform(Settings(home=tmp_path))
    try:
        assert isinstance(classifier(platform), LinearClassifier)
        assert "none is not there" in caplog.text and "none_zh is not there" in caplog.text
    finally:
        platform.close()


def test_a_part_of_the_encoder_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_encoder, "FOLDERS", {"en": tmp_path})
    platform = open_platform(Settings(home=tmp_path))
    try:
        with pytest.raises(ConfigurationError, match=r"tokenizer\.json.*missing.*git checkout"):
            classifier(platform)
    finally:
        platform.close()
