"""What goes wrong when: rules for single calls, an outage, limits of speed. Pure: time is given."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from tests.telegram_api.errors import ApiError, Json, too_many

Do = Literal[
    "429",  # flood control, with retry_after
    "500",
    "502",  # as Telegram's own JSON
    "502_html",  # as a proxy in between says it
    "error",  # error_code, description and parameters as given
    "timeout_before",  # never performed; the connection is held until the client gives up
    "timeout_after",  # performed; then the connection is held until the client gives up
    "cut",  # never performed; the connection is cut
    "cut_after",  # performed; then the connection is cut
    "delay",  # performed after delay_s
]
Outage = Literal["off", "refused", "502"]
#: What counts against the limits of speed.
SENDS = ("sendMessage", "sendMessageDraft", "editMessageText", "editMessageReplyMarkup")


@dataclass
class Rule:
    """Applies to the `nth` call that it is about, counted from 1, and to the `times - 1` after it."""

    do: Do
    #: "*" is about every method; "download" about the download of files.
    method: str = "*"
    bot: str | None = None
    chat_id: int | None = None
    nth: int = 1
    #: None: from then on always.
    times: int | None = 1
    retry_after: int = 1
    delay_s: float = 0.0
    error_code: int = 400
    description: str = "Bad Request"
    parameters: Json | None = None
    seen: int = 0

    def is_about(self, bot: str, method: str, chat_id: int | None) -> bool:
        return (
            self.method.lower() in ("*", method.lower())
            and self.bot in (None, bot)
            and self.chat_id in (None, chat_id)
        )

    def is_due(self) -> bool:
        since = self.seen - self.nth
        return since >= 0 and (self.times is None or since < self.times)

    def error(self) -> ApiError | None:
        """What is answered instead; None when the answer is not what goes wrong."""
        if self.do == "429":
            return too_many(self.retry_after)
        if self.do == "error":
            return ApiError(self.error_code, self.description, self.parameters)
        said = {"500": "Internal Server Error", "502": "Bad Gateway"}.get(self.do)
        return None if said is None else ApiError(int(self.do), said)


@dataclass
class Flood:
    """At most this many sends a second; more are refused until `retry_after` whole seconds are over."""

    per_chat: int | None = None
    overall: int | None = None
    #: Times of the sends of the last second, by (bot, chat); (bot, None) holds all of the bot.
    sent: dict[tuple[str, int | None], deque[float]] = field(default_factory=dict)
    until: dict[tuple[str, int | None], float] = field(default_factory=dict)

    def refusal(self, bot: str, method: str, chat_id: int | None, now: float) -> ApiError | None:
        if method not in SENDS:
            return None
        limits = {(bot, chat_id): self.per_chat, (bot, None): self.overall}
        waits = [self._wait(key, limit, now) for key, limit in limits.items() if limit is not None]
        if any(waits):
            return too_many(math.ceil(max(waits)))
        for key in limits:
            self.sent.setdefault(key, deque()).append(now)
        return None

    def _wait(self, key: tuple[str, int | None], limit: int, now: float) -> float:
        """Seconds; while somebody waits, asking again does not help."""
        if self.until.get(key, 0.0) > now:
            return self.until[key] - now
        times = self.sent.setdefault(key, deque())
        while times and times[0] <= now - 1.0:
            times.popleft()
        if len(times) < limit:
            return 0.0
        wait = float(math.ceil(times[0] + 1.0 - now))
        self.until[key] = now + wait
        return wait


@dataclass
class Faults:
    rules: list[Rule] = field(default_factory=list)
    outage: Outage = "off"
    flood: Flood = field(default_factory=Flood)

    def choose(self, bot: str, method: str, chat_id: int | None) -> Rule | None:
        """The first rule that is due for this call; each rule counts the calls that it is about."""
        about = [rule for rule in self.rules if rule.is_about(bot, method, chat_id)]
        for rule in about:
            rule.seen += 1
        return next((rule for rule in about if rule.is_due()), None)
