"""Settings, read once from the environment (`PARLEY_…`) at a program's door and passed on as a value from there."""

import os
import secrets
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from parley.errors import ConfigurationError


class Settings(BaseSettings):
    """Every setting with its default: the embedded form, everything below `home`."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", frozen=True, extra="ignore")

    #: Where the embedded form keeps its log, databases, indexes and secret.
    home: Path = Path("~/.local/share/parley")
    #: memory: | sqlite:///FILE | kafka://HOST:PORT[,HOST:PORT…]; empty: SQLite below `home`.
    bus_url: str = ""
    #: sqlite:///FILE | postgresql+psycopg://…; empty: SQLite below `home`.
    database_url: str = ""
    #: The customers' keys, in a database of their own; empty: SQLite below `home`.
    keys_url: str = ""
    #: sqlite: | chroma: (both below `home`) | weaviate://HOST:PORT?grpc=PORT; empty: sqlite:
    index_url: str = ""
    #: Where adapters' files are kept for all machines: a folder | s3://BUCKET/PATH | whatever fsspec knows; empty: below `home`.
    adapters_url: str = ""
    #: Where files that customers send are kept, sealed: a folder | s3://BUCKET/PATH | whatever fsspec knows; empty: below `home`.
    media_url: str = ""
    #: Signs conversation tokens and digests; empty: made at the first start and kept below `home`.
    secret: Annotated[str, Field(repr=False)] = ""
    #: The folder of the tenants' keys that exported conversations are signed with; empty: `vcon-keys` below `home`.
    vcon_keys: str = ""
    #: The folder with a folder for each tenant that says whose signatures on imported vCons it believes; empty: `vcon-trust` below `home`.
    vcon_trust: str = ""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    #: Address that browsers use, where it is not http://host:port (a proxy in front).
    public_url: str = ""
    #: Where each worker process serves /metrics and /healthz; 0 lets the system choose, -1 turns it off.
    metrics_port: Annotated[int, Field(ge=-1, le=65535)] = -1
    #: Serve the tenants' demo sites under /demo.
    demo: bool = True
    #: Trust X-Forwarded-For from this many proxies in front of the gateway.
    proxies: Annotated[int, Field(ge=0, le=5)] = 0

    token_ttl_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 24 * 30
    messages_per_minute: Annotated[int, Field(ge=1)] = 30
    conversations_per_minute: Annotated[int, Field(ge=1)] = 60
    refusals_per_minute: Annotated[int, Field(ge=1)] = 600

    #: Who writes answers: quotation; vLLM or ONNX Runtime in this process (`PARLEY_ENGINE_…`); any OpenAI-compatible server.
    generator: Literal["extractive", "vllm", "onnx", "openai"] = "extractive"
    openai_url: str = "http://127.0.0.1:8000/v1"
    openai_model: str = ""
    openai_key: Annotated[str, Field(repr=False)] = ""
    #: Whether that server is told a prefix-cache salt for each tenant, as vLLM's takes it; auto: where its list of models says that it is vLLM.
    openai_cache_salt: Literal["auto", "always", "never"] = "auto"
    #: Generations under way at once; 0: as many as the engine runs.
    generations_in_flight: Annotated[int, Field(ge=0, le=8192)] = 0
    #: And of one tenant; 0: no limit of its own.
    generations_per_tenant: Annotated[int, Field(ge=0, le=8192)] = 0
    #: Whether a text that was begun may wait for its slot again where another adapter has waited for one too long.
    generations_suspend: bool = True
    #: Requests that the inference worker reads ahead, so that a flood cannot hide a quiet tenant's behind it.
    generations_read_ahead: Annotated[int, Field(ge=1, le=100_000)] = 4_000

    kafka_replication: Annotated[int, Field(ge=1, le=5)] = 1
    bury_anyway: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("home")
    @classmethod
    def _expanded(cls, home: Path) -> Path:
        return home.expanduser()

    @classmethod
    def load(cls, **overrides: object) -> Self:
        """From the environment. Raises `ConfigurationError` naming the variable and what is allowed."""
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks each value
        except ValidationError as error:
            problems = "; ".join(
                f"PARLEY_{'_'.join(map(str, p['loc'])).upper()}: {p['msg']}"
                for p in error.errors(include_url=False)
            )
            raise ConfigurationError(problems) from error

    @property
    def bus(self) -> str:
        return self.bus_url or f"sqlite:///{self.home / 'log.db'}"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'parley.db'}"

    @property
    def keys(self) -> str:
        return self.keys_url or f"sqlite:///{self.home / 'keys.db'}"

    @property
    def intents_dir(self) -> Path:
        return self.home / "intents"

    @property
    def index(self) -> str:
        return self.index_url or "sqlite:"

    @property
    def index_dir(self) -> Path:
        return self.home / "index"

    @property
    def vcon_keys_dir(self) -> Path:
        return Path(self.vcon_keys).expanduser() if self.vcon_keys else self.home / "vcon-keys"

    @property
    def vcon_trust_dir(self) -> Path:
        return Path(self.vcon_trust).expanduser() if self.vcon_trust else self.home / "vcon-trust"

    @property
    def url(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    def ensure_home(self) -> None:
        """Make the data folder. Raises `ConfigurationError` when it cannot be written."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            probe = self.home / f".write-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"PARLEY_HOME: cannot write to {self.home} ({error.strerror}); name a folder that you may write to"
            ) from error

    def signing_secret(self) -> bytes:
        """The configured secret, or the one kept below `home` (made at the first call, readable by its owner only)."""
        if self.secret:
            if len(self.secret) < 32:
                raise ConfigurationError("PARLEY_SECRET: must have at least 32 characters")
            return self.secret.encode()
        path = self.home / "secret"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        return path.read_bytes()
