"""The only place that picks backends: from settings to an open platform, and from a name to a worker that can run."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag
from typing import TYPE_CHECKING, Protocol, TypeVar

from prometheus_client import CollectorRegistry

from connectors.kit import discovery
from parley.codec import Codec
from parley.domain.deciding import Decider
from parley.errors import ConfigurationError
from parley.metrics import WorkerMetrics
from parley.ports.adapters import AdapterArchive
from parley.ports.bus import Bus, Producer
from parley.ports.clock import Clock, SystemClock
from parley.ports.keys import CustomerKeys
from parley.ports.media import MediaStore
from parley.ports.models import Classifier, Reranker, Retriever
from parley.ports.store import Store
from parley.runtime.adapter_pointer import AdapterPointer
from parley.runtime.deadletters import FloodGuard
from parley.runtime.decider import DeciderWorker
from parley.runtime.effector import Effector, EffectorWorker
from parley.runtime.forgetting import Forgetting
from parley.runtime.secret_files import warn_of_open_files
from parley.runtime.tenants import TenantConfigs
from parley.runtime.vault import Vault
from parley.runtime.versions import VersionedContent
from parley.settings import Settings
from schemas.base import TenantId

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from workers.rag.lookup import Lookup
    from workers.rag.vectors import Vectors

S = TypeVar("S")


class Runner(Protocol):
    """A worker: runs until told to stop, then drains. `ready` is set once what it works with is up."""

    name: str
    ready: Flag

    def run(self, stop: Flag) -> None: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What every deployable of one process shares. Closing it closes the connections that it opened."""

    settings: Settings
    bus: Bus
    store: Store
    keys: CustomerKeys
    codec: Codec
    vault: Vault
    media: MediaStore
    clock: Clock
    registry: CollectorRegistry
    metrics: WorkerMetrics
    configs: TenantConfigs

    @property
    def content(self) -> VersionedContent:
        return VersionedContent(self.store, self.configs)

    def close(self) -> None:
        self.bus.close()
        self.store.close()
        self.keys.close()


def open_platform(settings: Settings) -> Platform:
    """Raises `ConfigurationError`. Connections are made at their first use."""
    from parley.backends.bus import open_bus
    from parley.backends.keys import CachedKeys, open_keys
    from parley.backends.media_files import open_media
    from parley.backends.sql import open_store

    warn_of_open_files(settings)
    store = open_store(settings.database)
    keys = CachedKeys(open_keys(settings.keys))
    codec = Codec(keys)
    registry = CollectorRegistry()
    return Platform(
        settings=settings,
        bus=open_bus(settings.bus),
        store=store,
        keys=keys,
        codec=codec,
        vault=Vault(store, codec),
        media=open_media(settings.media_url, settings.home / "media", codec),
        clock=SystemClock(),
        registry=registry,
        metrics=WorkerMetrics(registry),
        configs=TenantConfigs(store),
    )


def forgetting(platform: Platform) -> Forgetting:
    """What every process runs beside its work: no text and no key stays in memory for long."""
    from parley.backends import onnx_encoder

    places = (platform.keys.forget, platform.codec.forget, platform.vault.forget, onnx_encoder.forget)
    return Forgetting(places)


def classifier(platform: Platform) -> Classifier:
    """Raises `ConfigurationError` where an encoder's folder lacks a file; a language without the folder is left to the n-grams."""
    from parley.backends import onnx_encoder
    from parley.backends.encoded_intents import EncodedClassifier
    from parley.backends.linear import LinearClassifier

    folder = platform.settings.intents_dir
    linear = LinearClassifier(folder)
    there = onnx_encoder.folders()
    for language, missing in onnx_encoder.FOLDERS.items():
        if language not in there:
            log.warning("%s is not there: intents in %r are recognised by n-grams", missing, language)
    if not there:
        return linear
    return EncodedClassifier(onnx_encoder.all_shared(), linear, folder)


def retriever(platform: Platform) -> Retriever:
    """Raises `ConfigurationError`. What is given to `sync` and asked of `search` has its vectors from `vectors`."""
    from parley.backends.index import open_retriever

    return open_retriever(platform.settings.index, platform.settings.index_dir)


def vectors(*, words_only: bool = False) -> "Vectors":
    """A language without its encoder's folder is looked up by words alone."""
    from parley.backends import onnx_encoder
    from workers.rag.vectors import Vectors

    there = {} if words_only else onnx_encoder.folders()
    name = "+".join(onnx_encoder.NAMES[each.name] for each in there.values())
    encoders = {language: partial(onnx_encoder.shared, each) for language, each in there.items()}
    return Vectors(name, encoders)


def reranker() -> Callable[[], Reranker] | None:
    """None without the re-ranker's folder: candidates then stay in the order in which they were found."""
    from parley.backends import onnx_reranker

    return (lambda: onnx_reranker.shared(onnx_reranker.FOLDER)) if onnx_reranker.FOLDER.is_dir() else None


def lookup(retriever: Retriever, *, words_only: bool = False) -> "Lookup":
    """The way from a question to passages on this index; `words_only` leaves vectors and re-ranker out."""
    from workers.rag.lookup import Lookup

    return Lookup(retriever, vectors(words_only=words_only), None if words_only else reranker())


def adapter_storage(platform: Platform, tenant: TenantId | None = None) -> AdapterArchive:
    """Where adapters' files are: to fetch and clear any tenant's, or to put and fetch one's. Raises `ConfigurationError`."""
    from parley.backends.adapter_storage import open_adapter_storage

    settings = platform.settings
    return open_adapter_storage(settings.adapters_url, settings.home / "adapters", tenant)


def adapter_pointer(platform: Platform) -> AdapterPointer:
    """What moves a tenant's pointer and tells everybody."""
    return AdapterPointer(
        platform.store.adapters, platform.store, platform.bus, platform.codec, platform.clock
    )


def build_dialogue(platform: Platform) -> Runner:
    from workers.dialogue import DialogueDecider

    return _decider(platform, DialogueDecider())


def build_assignment(platform: Platform) -> Runner:
    from workers.assignment import AssignmentDecider

    return _decider(platform, AssignmentDecider())


def build_feedback(platform: Platform) -> Runner:
    from workers.feedback import FeedbackDecider

    return _decider(platform, FeedbackDecider())


def build_calls(platform: Platform) -> Runner:
    from workers.calls import CallDecider

    return _decider(platform, CallDecider())


def build_intent(platform: Platform) -> Runner:
    from workers.intent import IntentEffector

    return _effector(platform, IntentEffector(classifier(platform), platform.content, platform.clock))


def build_rag(platform: Platform) -> Runner:
    from workers.rag import RagEffector

    return _effector(platform, RagEffector(lookup(retriever(platform)), platform.content, platform.clock))


def build_analysis(platform: Platform) -> Runner:
    from workers.analysis import AnalysisEffector

    effector = AnalysisEffector(
        classifier(platform), platform.store, platform.codec, platform.content, platform.clock
    )
    return _effector(platform, effector)


def build_inference(platform: Platform) -> Runner:
    from workers.writers import build_inference

    return build_inference(platform)


BUILDERS: dict[str, Callable[[Platform], Runner]] = {
    "dialogue": build_dialogue,
    "intent": build_intent,
    "rag": build_rag,
    "inference": build_inference,
    "assignment": build_assignment,
    "feedback": build_feedback,
    "calls": build_calls,
    "analysis": build_analysis,
}


def build_worker(name: str, platform: Platform) -> Runner:
    """A worker, or a channel's connector. Raises `ConfigurationError` for a name that neither has."""
    check_name(name)
    return BUILDERS[name](platform) if name in BUILDERS else discovery.found()[name].build(platform)


def check_name(name: str) -> None:
    """Raises `ConfigurationError` for a name that no worker and no connector has."""
    if name not in BUILDERS and name not in discovery.found():
        allowed = ", ".join((*BUILDERS, *discovery.found()))
        raise ConfigurationError(f"worker: {name!r} is unknown; allowed: {allowed}")


def configured_connectors() -> tuple[str, ...]:
    """Those that this deployment's settings name something for: a bot's token, say. Raises `ConfigurationError`."""
    return tuple(name for name, connector in discovery.found().items() if connector.configured())


def _decider(platform: Platform, decider: Decider[S]) -> Runner:
    return DeciderWorker(
        decider,
        platform.bus,
        platform.store,
        platform.codec,
        platform.configs,
        platform.clock,
        platform.metrics,
        flood=flood_guard(platform),
    )


def _effector(platform: Platform, effector: Effector, producer: Producer | None = None) -> Runner:
    return EffectorWorker(
        effector,
        platform.bus,
        platform.codec,
        platform.clock,
        platform.metrics,
        producer=producer,
        flood=flood_guard(platform),
    )


def flood_guard(platform: Platform) -> FloodGuard:
    return FloodGuard(off=platform.settings.bury_anyway)
