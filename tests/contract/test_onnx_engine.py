"""The engine on ONNX Runtime, beyond the contract suite: int8, its chat template, its own ways to end, exports without places."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parley.backends.chat_tokenizer import ChatTokenizer
from parley.backends.onnx_engine import OnnxEngine
from parley.backends.onnx_export import export_onnx
from parley.cli.main import app
from parley.domain.base_model import name_of
from parley.errors import AdapterRefused, ConfigurationError, EngineDied, UnknownAdapter
from parley.ports.engine import ChatMessage, CompletionRequest
from tests.servers import require
from tests.support.engines import EngineKind, RunningEngine, Written, asking, onnx_missing, written
from tests.support.exported import exported
from tests.support.tiny_models import ADAPTERS, RANK, TinyModels

pytestmark = pytest.mark.timeout(400)

INT8 = EngineKind(
    "onnx-int8", lambda models: OnnxEngine(exported(models, "int8"), max_rank=RANK), onnx_missing
)
AGREEMENT = 0.9
"""Of the next tokens after what the float32 model wrote. Random weights leave little between the likeliest tokens; measured: 273 of 288."""
EVERY = 4


@pytest.fixture(scope="module")
def int8(tiny_models: TinyModels) -> Iterator[RunningEngine]:
    require(onnx_missing())
    running = RunningEngine.start(INT8, tiny_models)
    yield running
    running.close()


def test_int8_agrees_with_float32_on_most_next_tokens(int8: RunningEngine) -> None:
    """Base and three adapters, all at once, each asked for one token after the beginning of what float32 wrote."""
    names = {adapter: int8.load(adapter) for adapter in ADAPTERS}
    asked, wanted = [], []
    for each in int8.models.expected():
        for place in range(0, len(each.token_ids), EVERY):
            prompt = (*each.prompt_token_ids, *each.token_ids[:place])
            adapter = names.get(each.adapter or "")
            asked.append(asking(prompt_token_ids=prompt, max_tokens=1, adapter=adapter, ignore_eos=True))
            wanted.append([each.token_ids[place]])
    agreed = [one.token_ids == token for one, token in zip(int8.write(*asked), wanted, strict=True)]
    for name in names.values():
        int8.unload(name)
    assert len(agreed) == 288
    assert sum(agreed) / len(agreed) >= AGREEMENT


def test_int8_takes_a_third_of_the_place(int8: RunningEngine) -> None:
    def size(folder: Path) -> int:
        return sum(file.stat().st_size for file in folder.glob("model.onnx*"))

    assert size(exported(int8.models, "int8")) < 0.4 * size(exported(int8.models, "fp32"))


def test_the_command_says_what_it_wrote_and_how_to_serve_it(tiny_models: TinyModels, tmp_path: Path) -> None:
    require(onnx_missing())

    def export(out: Path, *options: str) -> str:
        done = CliRunner().invoke(
            app,
            ["models", "export-onnx", str(tiny_models.llama), str(out), *options],
            catch_exceptions=False,
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    report = json.loads(export(tmp_path / "int8", "--json"))
    told = json.loads((tmp_path / "int8" / "parley.json").read_text())
    files = [file.stat().st_size for file in (tmp_path / "int8").iterdir()]
    assert (report["precision"], report["bytes"]) == ("int8", sum(files))
    assert (report["model"], report["revision"]) == (told["model"], told["revision"])
    assert report["layers"] == told["adapters"]["layers"] and "self_attn.q_proj" in report["modules"]

    out = tmp_path / "fp32"
    words = export(out, "--precision", "fp32")
    assert f"{out}: {told['model']} in fp32, " in words and "MB" in words
    assert "q_proj" in words and f"of each of {report['layers']} layers" in words
    assert f"to serve it: PARLEY_ENGINE_MODEL={out} parley run --generator onnx" in words


def test_answers_name_the_model_and_its_revision(int8: RunningEngine) -> None:
    told = json.loads((exported(int8.models, "int8") / "parley.json").read_text())
    assert int8.engine.facts.model == f"{name_of(str(int8.models.llama))}@{told['revision']}"
    assert len(told["revision"]) == 16


def test_a_long_prompt_is_read_in_parts_while_others_write(int8: RunningEngine) -> None:
    """Nothing of the one depends on the other."""
    long = asking(prompt_token_ids=tuple(range(5, 305)) * 3, max_tokens=8, ignore_eos=True)
    short = asking(max_tokens=60, ignore_eos=True)
    alone = [int8.write_one(asking(prompt_token_ids=long.prompt_token_ids, max_tokens=8, ignore_eos=True))]
    alone.append(int8.write_one(asking(max_tokens=60, ignore_eos=True)))
    assert [each.token_ids for each in int8.write(long, short)] == [each.token_ids for each in alone]


def test_a_waiting_request_of_a_higher_priority_goes_first(int8: RunningEngine) -> None:
    running = [asking(max_tokens=30, ignore_eos=True) for _ in range(int8.engine.facts.running)]
    waiting = [asking(max_tokens=1, priority=priority) for priority in (2, 1, 0)]
    ended: list[int] = []

    async def one(request: CompletionRequest) -> None:
        await written(int8.engine.generate(request))
        if request in waiting:
            ended.append(request.priority)

    async def all_of_them() -> None:
        blocked = [asyncio.ensure_future(one(each)) for each in running]
        await asyncio.sleep(0)
        await asyncio.gather(*blocked, *(one(each) for each in waiting))

    int8.loop.run(all_of_them())
    # One row is free first in the order of the requests that ran, so those that waited enter by priority.
    assert ended == [0, 1, 2]


def test_closing_ends_what_is_under_way_and_a_new_start_is_sound(int8: RunningEngine) -> None:
    before = int8.write_one(asking()).text

    async def close() -> list[Written | BaseException]:
        count = int8.engine.facts.running + 3
        asked = [
            asyncio.ensure_future(written(int8.engine.generate(asking(max_tokens=900, ignore_eos=True))))
            for _ in range(count)
        ]
        await asyncio.sleep(0.1)
        await int8.engine.close()
        await int8.engine.close()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert {type(each) for each in int8.loop.run(close())} == {EngineDied}
    with pytest.raises(EngineDied):
        int8.write_one(asking())
    int8.loop.run(int8.engine.start())
    assert int8.write_one(asking()).text == before


def test_a_pass_that_fails_ends_the_engine_until_it_is_started_again(int8: RunningEngine) -> None:
    before = int8.write_one(asking()).text

    async def die() -> list[Written | BaseException]:
        asked = [
            asyncio.ensure_future(written(int8.engine.generate(asking(max_tokens=900, ignore_eos=True))))
            for _ in range(20)
        ]
        await asyncio.sleep(0.1)
        int8.engine._living._decoder._bindings.clear()  # type: ignore[attr-defined]  # without them no pass can run
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert {type(each) for each in int8.loop.run(die())} == {EngineDied}
    for call in (lambda: int8.write_one(asking()), lambda: int8.load("a")):
        with pytest.raises(EngineDied, match="a pass failed"):
            call()
    int8.loop.run(int8.engine.start())
    assert int8.write_one(asking()).text == before


def test_a_model_exported_without_places_takes_no_adapters(tiny_models: TinyModels, tmp_path: Path) -> None:
    require(onnx_missing())
    export_onnx(tiny_models.llama, tmp_path / "plain", "fp32", adapters=False)
    kind = EngineKind(
        "plain", lambda models: OnnxEngine(tmp_path / "plain", name="edge", context_tokens=64), onnx_missing
    )
    plain = RunningEngine.start(kind, tiny_models)
    facts = plain.engine.facts
    assert (facts.slots, facts.held, facts.max_rank, facts.context_tokens) == (0, 0, 0, 64)
    assert facts.model.startswith("edge@")
    with pytest.raises(AdapterRefused, match="without places"):
        plain.load("a")
    with pytest.raises(UnknownAdapter):
        plain.write_one(asking(adapter="a@1"))
    expected = tiny_models.expected()[0]
    assert plain.write_one(asking(expected.prompt, ignore_eos=True)).token_ids == expected.token_ids[:16]
    plain.close()


def test_the_chat_template_renders_as_transformers_does(tiny_models: TinyModels, tmp_path: Path) -> None:
    require(onnx_missing())
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(tiny_models.llama)
    said = [
        ("system", 'Be "kind" <b>.'),
        ("user", " Grüße 中文 😀\n"),
        ("assistant", "a"),
        ("user", "<|end> \\n"),
    ]
    templates = (
        theirs.chat_template,
        "{{- bos_token }}\n{%- for m in messages %}\n    {%- if m.role == 'user' %}\n{{ m.content | trim }}\n    {% endif %}\n{%- endfor %}\n",
        "{% for m in messages %}{% if loop.index == 3 %}{% break %}{% endif %}{{ m | tojson }}{% endfor %}{{ eos_token }}{{ unk_token }}",
        "{% for m in messages %}{% generation %}{{ m['content'] }}{% endgeneration %}{% endfor %}{% if tools %}tools{% endif %}",
        "{%- set ns = namespace(last='') %}{% for m in messages %}{% set ns.last = m.content %}{% endfor %}{{ ns.last }}{{ strftime_now('%Y') }}",
    )
    for number, template in enumerate(templates):
        theirs.chat_template = template
        folder = tmp_path / str(number)
        theirs.save_pretrained(folder)
        mine = ChatTokenizer(folder)
        messages = [ChatMessage(role, content) for role, content in said]  # type: ignore[arg-type]  # mypy widens the role
        asked = [message._asdict() for message in messages]
        text = theirs.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        assert mine.render(messages) == text
        assert mine.prompt_ids(messages) == theirs.encode(text, add_special_tokens=False)


def test_a_model_that_the_builder_does_not_know_is_told(tiny_models: TinyModels, tmp_path: Path) -> None:
    require(onnx_missing())
    model = tmp_path / "odd"
    model.mkdir()
    for file in tiny_models.llama.iterdir():
        (model / file.name).symlink_to(file)
    (model / "config.json").unlink()
    config = json.loads((tiny_models.llama / "config.json").read_text())
    config |= {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigurationError, match="cannot be exported") as refused:
        export_onnx(model, tmp_path / "out", "fp32")
    assert "not currently supported" in str(refused.value)
    assert [each.name for each in tmp_path.iterdir()] == ["odd"]
