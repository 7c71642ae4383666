"""The starter model's whole way at a tiny scale: training, an adapter, probes, samples, the card. Needs the extra `train`."""

import json
import math
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

from parley.domain.probing import probe_of  # noqa: E402
from parley.errors import AdapterRefused, ConfigurationError  # noqa: E402
from workers.retrain import probes  # noqa: E402
from workers.retrain.starter import network, tenants, texts, vocabulary  # noqa: E402
from workers.retrain.starter.adapters import (  # noqa: E402
    RANK,
    TARGETS,
    AdapterRecipe,
    base_revision,
    probe_prompts,
    save,
    train_adapters,
)
from workers.retrain.starter.card import write_card  # noqa: E402
from workers.retrain.starter.examples import Example, Examples  # noqa: E402
from workers.retrain.starter.prompts import NO_ANSWER, Message, Source  # noqa: E402
from workers.retrain.starter.samples import figures_stand, sample, score  # noqa: E402
from workers.retrain.starter.styled import STYLES  # noqa: E402
from workers.retrain.starter.train import FIRST_SHARE, LEAST_RATE, Recipe, rate, train  # noqa: E402

# The libraries' own, which say nothing of what is tested here.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = 4_096


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `prepare` writes it, from text that is made up."""
    folder = tmp_path_factory.mktemp("data")
    rows = [
        {
            "source": "section508",
            "title": f"Page {at}",
            "text": "\n\n".join(
                f"The {word} of part {at} opens after {at} weeks and closes before winter comes. "
                f"Visitors bring the {word} certificate with them to the desk."
                for word in ("harbour", "library", "orchard", "kitchen", "theatre")
            ),
            "dev": at % 5 == 0,
        }
        for at in range(40)
    ]
    texts.save(iter(rows), folder / texts.FILE)
    prepared = tenants.read(ROOT / "tenants")
    tenants.save(prepared, folder / tenants.FILE)
    examples = Examples(texts.documents(texts.load(folder / texts.FILE, dev=False)), prepared.rules, 1)
    spoken = [examples.draw().messages[-1].content for _ in range(200)]
    told = [chunk.source.text for tenant in prepared.tenants for chunk in tenant.chunks]
    vocabulary.save(vocabulary.train([*spoken, *told], VOCABULARY), folder)
    return folder


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    train(data, folder, Recipe(steps=2, rows=1, width=1024, layers=1, processes=0, compiled=False), "cpu")
    recipe = AdapterRecipe(steps=1, rows=1, width=2048, processes=0)
    train_adapters(data, folder / "model", folder / "adapters", recipe, "cpu", tuple(STYLES))
    return folder


@pytest.fixture(scope="module")
def sure(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is sure of what it says, as an untrained one is not."""
    folder = tmp_path_factory.mktemp("sure")
    model = network.open_model(made / "model", "cpu")
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(20)
    network.save(model, made / "model", folder)
    return folder


def strong(base: Path, folder: Path, seed: int) -> Path:
    """An adapter that overrules its base by far."""
    torch.manual_seed(seed)
    config = peft.LoraConfig(r=RANK, lora_alpha=16, target_modules=list(TARGETS), task_type="CAUSAL_LM")
    model: Any = peft.get_peft_model(network.open_model(base, "cpu"), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=4.0)
    save(model, base, folder)
    return folder


def test_the_losses_are_told_and_the_model_is_a_plain_llama(made: Path) -> None:
    lines = [json.loads(line) for line in (made / "losses.jsonl").read_text().splitlines()]
    assert lines[0]["parameters"] > 0 and lines[-1]["step"] == 2
    assert lines[1]["text_dev_loss"] == pytest.approx(math.log(VOCABULARY), rel=0.1)
    config = json.loads((made / "model" / "config.json").read_text())
    assert (config["model_type"], config["dtype"], config["tie_word_embeddings"]) == (
        "llama",
        "bfloat16",
        True,
    )
    assert config["max_position_embeddings"] == 2048 and "auto_map" not in config
    tokenizer = transformers.AutoTokenizer.from_pretrained(made / "model")
    model = transformers.AutoModelForCausalLM.from_pretrained(made / "model")
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "hello"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    assert model.generate(**asked, max_new_tokens=3).shape[1] > asked["input_ids"].shape[1]
    assert model.generation_config.eos_token_id == [4, 0]


def test_rows_are_read_causally_as_transformers_reads_them(made: Path) -> None:
    ids = torch.randint(5, VOCABULARY, (2, 33), generator=torch.Generator().manual_seed(1))
    weights = torch.ones(2, 32)
    with torch.no_grad():
        own, usual = (
            network.loss_of(network.open_model(made / "model", "cpu", attention), ids, weights)
            for attention in (network.CAUSAL, "sdpa")
        )
        weights[:, 5:] = 0
        begun = network.loss_of(network.open_model(made / "model", "cpu", network.CAUSAL), ids, weights)
        other = torch.cat([ids[:, :6], ids[:, 6:].flip(1)], dim=1)
        ended_otherwise = network.loss_of(
            network.open_model(made / "model", "cpu", network.CAUSAL), other, weights
        )
    assert own.item() == pytest.approx(usual.item(), abs=1e-5)
    assert begun.item() == pytest.approx(ended_otherwise.item(), abs=1e-6)


def test_each_kind_of_token_has_its_weight() -> None:
    kinds = torch.tensor([[0, 1, 2, 3]], dtype=torch.int16)
    assert network.weights_of(kinds, (0.3, 0.05, 1.0, 0.0)).tolist() == [[pytest.approx(0.05), 1.0, 0.0]]


def test_the_rate_rises_stays_and_falls() -> None:
    assert rate(0, 0.0) == pytest.approx(1 / 60)
    assert rate(500, FIRST_SHARE) == 1.0
    assert rate(900, 0.7) == pytest.approx(0.505)
    assert rate(999, 1.0) == pytest.approx(LEAST_RATE)


def test_an_adapter_is_small_and_names_its_base(made: Path) -> None:
    for name in STYLES:
        folder = made / "adapters" / name
        config = json.loads((folder / "adapter_config.json").read_text())
        assert (config["peft_type"], config["r"], config["bias"]) == ("LORA", 8, "none")
        assert set(config["target_modules"]) == set(TARGETS)
        assert config["base_model_name_or_path"] == network.NAME
        assert config["revision"] == base_revision(made / "model")
        assert {file.name for file in folder.iterdir()} == {
            "adapter_config.json",
            "adapter_model.safetensors",
        }
        assert (folder / "adapter_model.safetensors").stat().st_size < 150_000


def test_probes_are_what_transformers_and_peft_say(sure: Path, tmp_path: Path) -> None:
    first, second = (strong(sure, tmp_path / str(seed), seed) for seed in (1, 2))
    prompts = [[2, 17 + at, 40, 4, 3] for at in range(6)]
    kept = probes.write_probes(sure, second, prompts, previous=first, most=2)
    assert list(probes.read(second)) == kept and 1 <= len(kept) <= 2
    base = network.open_model(sure, "cpu").eval()
    adapted = peft.PeftModel.from_pretrained(network.open_model(sure, "cpu"), str(second)).float().eval()
    for probe in kept:
        assert probes.LEAST_TOKENS <= len(probe.token_ids) <= probes.MOST_TOKENS
        assert min(probe.margins) >= probes.MARGIN
        assert sum(probe.logprobs) - sum(probe.base_logprobs) >= probes.TELLS
        ids = torch.tensor([[*probe.prompt_token_ids, *probe.token_ids]])
        for model, expected in ((adapted, probe.logprobs), (base, probe.base_logprobs)):
            with torch.no_grad():
                likely = torch.log_softmax(model(input_ids=ids).logits[0], dim=-1)
            for at, (token, logprob) in enumerate(zip(probe.token_ids, expected, strict=True)):
                place = len(probe.prompt_token_ids) - 1 + at
                assert likely[place, token].item() == pytest.approx(logprob, abs=1e-3)
                assert model is base or likely[place].argmax() == token


def test_an_adapter_that_nothing_tells_apart_gets_no_probes(sure: Path, tmp_path: Path) -> None:
    one = strong(sure, tmp_path / "one", 1)
    with pytest.raises(AdapterRefused, match="and from its previous version"):
        probes.write_probes(sure, one, [[2, 17, 4, 3]], previous=one)
    assert not (one / probes.FILE).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nonsense", "Invalid JSON"),
        ('{"version": 7, "probes": []}', "version: Input should be 1"),
        ('{"version": 1, "probes": [{"prompt_token_ids": [1]}]}', "probes.0.token_ids: Field required"),
        (
            '{"version": 1, "probes": [{"prompt_token_ids": [1], "token_ids": [1, 2], "logprobs": [0], '
            '"base_logprobs": [0, 0], "margins": [1, 1]}]}',
            "must have the same length",
        ),
    ],
)
def test_probes_that_cannot_be_read_are_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / probes.FILE).write_text(content)
    with pytest.raises(AdapterRefused, match=said):
        probes.read(tmp_path)
    with pytest.raises(AdapterRefused, match="No such file or directory"):
        probes.read(tmp_path / "nowhere")


def test_probe_prompts_are_short_and_end_where_the_assistant_begins(data: Path, made: Path) -> None:
    prepared = tenants.load(data / tenants.FILE)
    prompts = probe_prompts(prepared, STYLES["mobile-1"], made / "model", most_tokens=1_500)
    assert len(prompts) == 24
    assert all(len(each) <= 1_500 and each[0] == 1 and each[-1] == 3 for each in prompts)


def test_answers_are_counted() -> None:
    source = Source("Fees", "The card costs €4.50 a month.")
    asked = (Message("user", "x"),)
    cited = Example(asked, "The card costs €4.50 a month. [1]", (source, Source("B", "Call 0800.")), (1,))
    refused = Example(asked, NO_ANSWER, (source,))
    found = ["The card costs €4.50 a month. [1]", "The card costs €9 a month. [2]", NO_ANSWER, NO_ANSWER]
    assert score([cited, cited, cited, refused], found) == {
        "cited_n": 3,
        "cited_exact": 0.333,
        "cited_source": 0.333,
        "cited_refused": 0.333,
        "cited_figures": 0.667,
        "refusal_n": 1,
        "refusal_exact": 1.0,
    }
    assert not figures_stand("It costs €4.50. [2]", cited) and figures_stand("It is free. [1]", cited)


def test_the_card_is_filled_from_what_was_measured(data: Path, made: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"training/losses\.jsonl: the file is missing"):
        write_card(tmp_path, date(2026, 12, 1))
    for name in STYLES:
        probe = probe_of(
            prompt_token_ids=(1,), token_ids=(2,), logprobs=(-0.1,), base_logprobs=(-9.0,), margins=(3.0,)
        )
        probes.write([probe], made / "adapters" / name)
    sample(data, made, "cpu", scored=2, questions=3, most_tokens=4)
    training = made / "model" / "training"
    training.mkdir()
    for name in ("losses.jsonl", "adapter_losses.jsonl", "samples.jsonl", "scores.json"):
        shutil.copyfile(made / name, training / name)
    shares = dict.fromkeys(("answered", "source", "right", "served", "figures", "garbled", "stopped"), 0.25)
    row = {
        "writer": "bank-1",
        "tenant": "bank",
        "language": "zh",
        "asked": 4,
        "too_long": 0,
        "answerable": 4,
        **shares,
    }
    (training / "asked_scores.jsonl").write_text(json.dumps(row) + "\n")
    (made / "model" / "adapters").symlink_to(made / "adapters")
    write_card(made / "model", date(2026, 12, 1))
    card = (made / "model" / "README.md").read_text("utf-8")
    assert (
        base_revision(made / "model") in card
        and "2026-12-01" in card
        and "$" not in card.replace("$PARLEY", "")
    )
    assert "| `bank-2` | bank |" in card and "- mobile-1: " in card
    assert "| bank-1 | bank, Chinese (4; 4) | 0.25 | 0.25 | 0.25 | 0.25 | – | 0.25 | 0.25 | 0.25 |" in card


def test_training_needs_no_more_than_a_bare_machine_has() -> None:
    """PyTorch, transformers and PEFT, but not what Parley itself needs."""
    program = (
        "import sys\n"
        "for name in ('pydantic', 'sqlalchemy', 'httpx', 'onnxruntime', 'typer'): sys.modules[name] = None\n"
        "from workers.retrain.starter import adapters, asked_texts, samples, train\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
