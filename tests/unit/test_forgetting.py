"""Nothing that holds a text or a key stays in memory for long; for every cache there is a decision."""

import ast
from pathlib import Path
from threading import Event as Flag

import pytest

from parley.backends import onnx_encoder
from parley.codec import Codec
from parley.domain import words
from parley.domain.remembering import remembered
from parley.runtime import judging
from parley.runtime.forgetting import Forgetting
from tests.support.platform import DictKeys, send
from tests.unit.test_decider_loop import message, platform, start, work_off, worker

ROOT = Path(__file__).resolve().parents[2]

DECIDED = {
    "connectors": {
        "calls.book": "which numbers are expected, and a customer's name, for ten minutes after the call's last word",
        "calls.formats.google": "the names of Google's own fields",
        "kit.discovery": "modules",
        "kit.inbox": "ids",
        "kit.pen": "the tenants' own configurations",
        "kit.sending": "ids",
        "kit.previews": "ids of generations",
        "kit.outbox": "ids, and addresses of chats that something was sent to lately",
        "telegram.door": "ids of chats, albums and updates; files' names until the log has them, for a minute at most",
        "telegram.media": "by chat, how many bytes of files it has sent within the hour: no text",
        "telegram.versions": "hashes of texts, of the process alone",
        "telegram.drafts": "texts in the making, until their answer comes or for a minute",
    },
    "parley": {
        "backends.chroma": "the tenants' own articles",
        "backends.encoded_intents": "fitted models of the tenants' own examples",
        "backends.held_adapters": "the adapters' names",
        "backends.hybrid": "the tenants' own articles",
        "backends.keys": "keys, for KEY_HELD_S; `forget` lets go of old ones",
        "backends.known_chunks": "the tenants' own articles",
        "backends.linear": "fitted models of the tenants' own examples",
        "backends.onnx_encoder": "vectors of texts: `forget` empties it",
        "backends.onnx_reranker": "the re-ranker itself",
        "backends.partitioner": "ids",
        "backends.sql.bulk": "statements",
        "backends.sql.decisions": "statements",
        "backends.sql.privacy": "tables",
        "backends.sqlite_index": "the tenants' own articles",
        "backends.vllm_engine.owner": "that the owner is watched",
        "backends.vllm_engine.start_log": "a folder's name",
        "codec": "kinds of events; ciphers, which `forget` lets go of",
        "domain.analysis.checks": "the tenants' own phrases",
        "domain.guard.checking": "what passages say, as long as the generation that they are for",
        "domain.masking.rules": "the tenants' own patterns",
        "domain.remembering": "where texts are forgotten",
        "domain.risks.finding": "the lexicon",
        "domain.sharding": "ids",
        "runtime.judging": "states: `forget_idle` lets go of them",
        "runtime.limits": "numbers",
        "runtime.progress": "offsets",
        "runtime.tenants": "the tenants' own configurations",
        "runtime.vault": "numbers, under names keyed by a secret of the process, let go of every minute",
    },
    "schemas": {"base": "moments"},
    "services": {
        "gateway.directory": "tenants and access keys",
        "gateway.rooms": "sealed deltas, for two minutes",
    },
    "workers": {"inference.cancelling": "ids", "rag": "rankings of the tenants' own articles"},
}
"""Modules that remember anything, what, and why it does not outlive an erasure."""

REMEMBER = {"cache", "lru_cache", "cached_property", "OrderedDict", "LRUCache", "TTLCache"}
"""What is imported to remember with."""


def remembers(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    named = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return bool(named & REMEMBER)


@pytest.mark.parametrize("package", DECIDED)
def test_for_every_cache_there_is_a_decision(package: str) -> None:
    found = set()
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT / package).with_suffix("").parts
        if "retrain" not in parts and "cli" not in parts and remembers(path):
            found.add(".".join(parts).removesuffix(".__init__"))
    assert found == set(DECIDED[package])


def test_words_of_texts_are_forgotten_while_the_process_lives() -> None:
    words.terms("Zorblaxia wrote this")
    assert remembered()
    forgotten = Flag()
    with Forgetting([forgotten.set], every_s=0.01):
        assert forgotten.wait(10)
    assert not remembered()


def test_a_place_that_fails_does_not_keep_the_others_from_forgetting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise ValueError("Zorblaxia")

    forgotten = Flag()
    with Forgetting([fail, forgotten.set], every_s=0.01):
        assert forgotten.wait(10)
    assert "a cache was not emptied: ValueError" in caplog.text and "Zorblaxia" not in caplog.text


def test_vectors_of_texts_are_forgotten() -> None:
    encoder = onnx_encoder.shared()
    encoder.encode(["Zorblaxia wrote this"])
    assert encoder._known
    onnx_encoder.forget()
    assert not encoder._known


def test_ciphers_are_forgotten_and_made_again() -> None:
    codec = Codec(DictKeys())
    sealed = codec.encode(message(1))
    codec.forget()
    assert codec._made.cache_info().currsize == 0
    assert codec.encode(message(1)) == sealed


def test_a_deciders_idle_states_are_forgotten_and_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    on = platform()
    send(on, start(), message(1))
    one = worker(on)
    work_off(one, on=on)
    one.step(0.0)
    assert one._judge._kept
    monkeypatch.setattr(judging, "STATES_KEPT_S", -1.0)
    one.step(0.0)
    assert not one._judge._kept
    send(on, message(2))
    work_off(one, on=on)
    row = on.store.conversation(message(1).envelope.conversation_id)
    assert row is not None and row.open_messages == 2
