"""Which tenant is which bot, and where Telegram's servers are (`PARLEY_TELEGRAM_…`). Tokens are read here, and written nowhere."""

import re
from pathlib import Path
from typing import Annotated, Self, get_args

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.kit.content import Kind
from connectors.telegram.pacing import PER_SECOND
from parley.errors import ConfigurationError
from schemas.base import TENANT_PATTERN, TenantId

TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{16,128}")
TOKEN_ALLOWED = "a bot's token as @BotFather tells it, such as 123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
LINE = re.compile(rf"({TENANT_PATTERN[1:-1]})\s*[:=]\s*(\S+)")


MB = 1 << 20
MAX_MB = 20
"""More than this Telegram gives no bot (Bot API, `getFile`)."""
KINDS: tuple[Kind, ...] = get_args(Kind)
MEDIA_ALLOWED = f"0 to {MAX_MB}, or a list such as photo=10,video=0 of {', '.join(KINDS)}"


class TelegramSettings(BaseSettings):
    """Without a token there is no bot, and nothing of this is started."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_TELEGRAM_", frozen=True, extra="ignore")

    #: The bot of `tenant`.
    token: Annotated[str, Field(repr=False)] = ""
    tenant: str = "bank"
    #: A file with a line `tenant: token` for each bot, readable by its owner alone; instead of the two above.
    tokens_file: Path | None = None
    #: Telegram calls `PARLEY_PUBLIC_URL/telegram/TENANT`, rather than that we ask it; the gateway must be reached from outside by https.
    webhook: bool = False
    #: Another Bot API server than Telegram's own.
    api_url: str = "https://api.telegram.org"
    #: How many messages a second one process sends for a bot at most; Telegram allows a bot 30 in all, so several share them.
    per_second: Annotated[int, Field(ge=1, le=1_000)] = PER_SECOND
    #: How large files may be, in MB: one number for all kinds, or a list such as `photo=10,voice=5`; 0: none is taken.
    media_mb: str = str(MAX_MB)

    @field_validator("media_mb")
    @classmethod
    def _are_limits(cls, text: str) -> str:
        limits_of(text)
        return text

    @property
    def media_limits(self) -> dict[Kind, int]:
        """In bytes."""
        return limits_of(self.media_mb)

    @classmethod
    def load(cls) -> Self:
        """From the environment. Raises `ConfigurationError` naming the variable and what is allowed."""
        try:
            return cls()
        except ValidationError as error:
            problems = [
                f"PARLEY_TELEGRAM_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False)
            ]
            raise ConfigurationError("; ".join(problems)) from None

    @property
    def configured(self) -> bool:
        return bool(self.token or self.tokens_file)

    def bots(self) -> dict[TenantId, str]:
        """Each tenant's token. Raises `ConfigurationError`, which quotes none."""
        if self.token and self.tokens_file:
            raise ConfigurationError("PARLEY_TELEGRAM_TOKEN and PARLEY_TELEGRAM_TOKENS_FILE: set one of them")
        if not self.api_url.startswith(("http://", "https://")):
            raise ConfigurationError(
                "PARLEY_TELEGRAM_API_URL: must begin with https:// (or http://), such as https://api.telegram.org"
            )
        if self.tokens_file is not None:
            return _read(self.tokens_file)
        if not self.token:
            return {}
        return {TenantId(self.tenant): _checked(self.token, "PARLEY_TELEGRAM_TOKEN")}


def limits_of(text: str) -> dict[Kind, int]:
    """In bytes, by kind. Raises `ValueError`, which says what is allowed."""
    given = dict.fromkeys(KINDS, text) if "=" not in text else dict.fromkeys(KINDS, str(MAX_MB))
    for part in text.split(",") if "=" in text else ():
        name, _, value = (each.strip() for each in part.partition("="))
        kind = next((each for each in KINDS if each == name), None)
        if kind is None:
            raise ValueError(f"names no kind of files in {part.strip()!r}; allowed: {MEDIA_ALLOWED}")
        given[kind] = value
    for value in given.values():
        if re.fullmatch(r"\d{1,2}", value, re.ASCII) is None or int(value) > MAX_MB:
            raise ValueError(f"{value!r} is no number of MB; allowed: {MEDIA_ALLOWED}")
    return {kind: int(value) * MB for kind, value in given.items()}


def _read(path: Path) -> dict[TenantId, str]:
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(
            f"PARLEY_TELEGRAM_TOKENS_FILE: cannot read {path}: {reason}; allowed: a text file with a line `tenant: token` for each bot"
        ) from error
    found: dict[TenantId, str] = {}
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        matched = LINE.fullmatch(text)
        if matched is None:
            raise ConfigurationError(
                f"{path}:{number}: must be `tenant: token`, such as bank: 123456:ABC-DEF…"
            )
        tenant = TenantId(matched[1])
        if tenant in found:
            raise ConfigurationError(
                f"{path}:{number}: tenant {tenant} has a bot already; allowed: one a tenant"
            )
        found[tenant] = _checked(matched[2], f"{path}:{number}")
    if len(set(found.values())) < len(found):
        raise ConfigurationError(
            f"{path}: one bot stands for two tenants; allowed: a bot of its own for each"
        )
    return found


def _checked(token: str, where: str) -> str:
    if TOKEN.fullmatch(token) is None:
        raise ConfigurationError(f"{where}: is no token; allowed: {TOKEN_ALLOWED}")
    return token
