"""What can be known of whoever writes answers before anything is started: settings, packages, and the model's files.

What is wrong there is said at once, and not after tenants were fitted or an engine was loading for a minute.
"""

from importlib.util import find_spec

from parley.domain.base_model import BaseModel
from parley.engine_settings import EngineSettings, engine_settings
from parley.errors import ConfigurationError
from parley.settings import Settings

MODEL = "PARLEY_ENGINE_MODEL"
VLLM_MISSING = (
    "PARLEY_GENERATOR: vllm needs vLLM, which is not installed: `pip install 'parley[vllm]'` where there is a GPU with CUDA (in a checkout "
    "`make engine-cuda`), `make engine` in a checkout for Linux on x86-64 without one; allowed without it: extractive, onnx, openai"
)
JINJA_MISSING = (
    "PARLEY_GENERATOR: onnx needs the package jinja2, which is not installed: `pip install 'parley[onnx]'` (in a checkout `make engine`); "
    "allowed without it: extractive, vllm, openai"
)


def check_generator(settings: Settings) -> None:
    """Takes milliseconds, and asks the hub for the `config.json` of an id alone. Raises `ConfigurationError` naming the setting."""
    if settings.generator == "vllm":
        _check_vllm(engine_settings())
    elif settings.generator == "onnx":
        _check_onnx(engine_settings())
    elif settings.generator == "openai":
        from parley.backends.openai_engine import check_address

        check_address(settings.openai_url, settings.openai_model)


def known_base(settings: EngineSettings) -> BaseModel:
    """The model that the settings name. Raises `ConfigurationError` naming the setting."""
    from parley.backends.base_folder import find_base

    try:
        return find_base(settings.model, settings.revision or None, offline=settings.offline)
    except ConfigurationError as error:
        raise _of_the_model(error) from error


def _check_vllm(settings: EngineSettings) -> None:
    from parley.backends.vllm_engine.checkpoint import checkpoint_of

    if find_spec("vllm") is None:
        raise ConfigurationError(VLLM_MISSING)
    checkpoint_of(settings)
    known_base(settings)


def _check_onnx(settings: EngineSettings) -> None:
    from parley.backends.chat_tokenizer import ChatTokenizer
    from parley.backends.onnx_decoder import check_folder

    if find_spec("jinja2") is None:
        raise ConfigurationError(JINJA_MISSING)
    folder = settings.folder
    if folder is None:
        raise ConfigurationError(
            f"{MODEL}: {settings.model} is no folder; allowed: one that `parley models export-onnx` wrote"
        )
    try:
        check_folder(folder)
        ChatTokenizer(folder)
    except ConfigurationError as error:
        raise _of_the_model(error) from error
    known_base(settings)


def _of_the_model(error: ConfigurationError) -> ConfigurationError:
    words = str(error)
    return error if words.startswith(MODEL) else ConfigurationError(f"{MODEL}: {words}")
