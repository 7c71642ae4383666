"""Who writes answers, as the settings have it: the part of the wiring that picks engines."""

import hmac
from functools import partial
from pathlib import Path
from uuid import uuid4

from parley.domain.adapters import AdapterFacts
from parley.domain.base_model import BaseModel
from parley.domain.scheduling import Limits
from parley.engine_settings import EngineSettings, engine_settings
from parley.errors import (
    AdapterRefused,
    AdapterUnreadable,
    ConfigurationError,
    RequestRefused,
    StoreUnavailable,
)
from parley.ports.adapters import AdapterVersion
from parley.ports.engine import ChatMessage, CompletionRequest, Engine
from parley.runtime.adapters import LiveAdapters
from parley.settings import Settings
from schemas.base import TenantId
from workers.engine_checks import check_generator, known_base
from workers.inference.adapters import Adapters
from workers.inference.cancelling import Cancellations
from workers.inference.metrics import InferenceMetrics
from workers.inference.runner import InferenceRunner, Serving
from workers.inference.serving import AdapterWriter, SelfTest
from workers.inference.worker import InferenceWorker
from workers.inference.writing import Capacity, EngineWriter, QuotingWriter, Writer
from workers.wiring import Platform, adapter_storage, flood_guard

SALTED = {"auto": None, "always": True, "never": False}


def build_inference(platform: Platform) -> InferenceRunner:
    """Raises `ConfigurationError`."""
    settings = platform.settings
    check_generator(settings)
    metrics = InferenceMetrics(platform.registry)
    serving = adapter_serving(platform, metrics) if loads_adapters(settings) else None
    cancellations = Cancellations()
    worker = InferenceWorker(
        serving.writer if serving is not None else writer(settings),
        platform.bus,
        platform.codec,
        platform.content,
        platform.clock,
        platform.metrics,
        metrics,
        limits=partial(scheduler_limits, settings),
        read_ahead=settings.generations_read_ahead,
        new_attempt=new_id,
        cancellations=cancellations,
        flood=flood_guard(platform),
    )
    return InferenceRunner(worker, cancellations, platform.bus, platform.codec, serving)


def loads_adapters(settings: Settings) -> bool:
    """Whether it is Parley that loads the tenants' adapters; a server of its own has those that it was given."""
    return settings.generator in ("vllm", "onnx")


def writer(settings: Settings) -> Writer:
    """Who writes without adapters. Raises `ConfigurationError`."""
    if settings.generator == "extractive":
        return QuotingWriter()
    if settings.generator == "openai":
        return _asking_a_server(settings)
    return EngineWriter(_engine(settings, engine_settings())[0], cache_salt)


def _asking_a_server(settings: Settings) -> Writer:
    from parley.backends.openai_api import ServerExtras
    from parley.backends.openai_engine import RUNNING, OpenAIEngine

    engine = OpenAIEngine(
        settings.openai_url,
        settings.openai_model,
        settings.openai_key,
        running=settings.generations_in_flight or RUNNING,
        extras=ServerExtras(salt=SALTED[settings.openai_cache_salt]),
    )
    return EngineWriter(engine, partial(secret_salt, settings.signing_secret()))


def adapter_serving(platform: Platform, metrics: InferenceMetrics) -> Serving:
    """An engine in this process, with the tenants' adapters. Raises `ConfigurationError`."""
    from parley.backends import gpu_metrics

    settings = engine_settings()
    base = known_base(settings)
    engine, self_test = _engine(platform.settings, settings)
    gpu_metrics.register(platform.registry)
    live = LiveAdapters()
    adapters = Adapters(
        platform.store.adapters,
        adapter_storage(platform),
        live.digest_of,
        partial(check_version, base, settings.rank),
    )
    return Serving(AdapterWriter(engine, cache_salt, adapters, metrics, new_id, self_test), adapters, live)


def _engine(settings: Settings, engine_settings: EngineSettings) -> tuple[Engine, SelfTest]:
    """The engine, and what it has to pass before it gets work."""
    if settings.generator == "onnx":
        from parley.backends.onnx_engine import RUNNING, OnnxEngine

        chosen = engine_settings.model_fields_set
        onnx = OnnxEngine(
            engine_settings.folder or Path(engine_settings.model),
            name=engine_settings.served_name,
            context_tokens=engine_settings.max_model_len,
            running=engine_settings.max_num_seqs if "max_num_seqs" in chosen else RUNNING,
            slots=engine_settings.max_loras,
            max_rank=engine_settings.rank,
        )
        # Adapters are inputs of each pass: there are no slots to mix up.
        return onnx, partial(answers_chats, onnx)
    from parley.backends.vllm_engine import VllmEngine, self_test

    engine = VllmEngine(engine_settings)

    async def passes() -> None:
        await answers_chats(engine)
        await self_test(engine)

    return engine, passes


async def answers_chats(engine: Engine) -> None:
    """Messages as prompts have them, through the model's own template. Raises `ConfigurationError` for a model that is none for chats."""
    said = (
        ChatMessage("system", "Answer briefly."),
        ChatMessage("user", "Hello."),
        ChatMessage("assistant", "Hello."),
        ChatMessage("user", "Thank you."),
    )
    request = CompletionRequest(f"chat-{new_id()}", messages=said, max_tokens=1, cache_salt=new_id())
    try:
        async for _ in engine.generate(request):
            pass
    except RequestRefused as error:
        raise ConfigurationError(
            f"PARLEY_ENGINE_MODEL: this model answers no chats: {error}; allowed: one whose chat template takes system, user and assistant messages"
        ) from error


def check_version(base: BaseModel, max_rank: int, version: AdapterVersion, folder: Path) -> None:
    """What was checked at publication, once more before the engine sees it. Raises `AdapterRefused`, and `StoreUnavailable` for a folder that
    went away after it was fetched.
    """
    from parley.backends.adapter_folder import read_folder
    from parley.domain.base_model import same_model, same_revision

    try:
        facts: AdapterFacts = read_folder(folder, base.shapes, max_rank=max_rank)
    except AdapterUnreadable as error:
        raise StoreUnavailable(f"{version.name}: {error}") from error
    if facts.digest != version.digest:
        raise AdapterRefused(f"{version.name}: the files are not those that were published")
    if not same_model(version.base_model, base.name) or not same_revision(
        version.base_revision, base.revision
    ):
        raise AdapterRefused(
            f"{version.name}: was published for {version.base_model}@{version.base_revision}; "
            f"this worker serves {base.name}@{base.revision}"
        )


def scheduler_limits(settings: Settings, capacity: Capacity) -> Limits:
    """What the scheduler may do with a writer of this capacity."""
    in_flight = min(settings.generations_in_flight or capacity.running, capacity.running)
    return Limits(
        slots=capacity.slots,
        held=max(capacity.held - 1, capacity.slots),
        in_flight=in_flight,
        per_tenant=settings.generations_per_tenant or in_flight,
        suspends=capacity.resumes and settings.generations_suspend,
    )


def cache_salt(tenant: TenantId) -> str:
    """Tenants share no cached beginnings of prompts: how fast an answer comes tells nothing of another tenant's (CVE-2025-46570)."""
    return f"tenant/{tenant}"


def secret_salt(secret: bytes, tenant: TenantId) -> str:
    """For a server that others may ask too: who does not know the secret can name no tenant's salt. Workers with one secret share what is cached."""
    return hmac.new(secret, cache_salt(tenant).encode(), "sha256").hexdigest()


def new_id() -> str:
    return str(uuid4())
