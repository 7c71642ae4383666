"""The Telegram channel as it is run: a bot for each tenant that has a token; its updates by long polling, or by webhook at the gateway."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import nullcontext
from functools import partial
from threading import Thread
from time import sleep
from typing import Any
from uuid import uuid4

from aiogram.types import BotCommand
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.kit.channel import Doorway, Opened
from connectors.kit.content import Kind
from connectors.kit.inbox import Inbox
from connectors.kit.sending import Sending
from connectors.kit.waiting import WaitingRoom
from connectors.telegram.calls import called
from connectors.telegram.channel import TelegramChannel
from connectors.telegram.door import Door
from connectors.telegram.lanes import Lanes
from connectors.telegram.media import Fetching
from connectors.telegram.polling import Poller
from connectors.telegram.reading import KINDS
from connectors.telegram.saying import Saying
from connectors.telegram.settings import TelegramSettings
from connectors.telegram.texts import COMMANDS, LANGUAGES
from connectors.telegram.webhook import PATHS, Webhooks, secret_of
from parley.errors import ConfigurationError, ParleyError, StoreUnavailable, UnknownTenant
from parley.ports.channels import Chat
from parley.runtime.backoff import Backoff
from parley.runtime.erasing import begin, erase
from parley.runtime.faults import describe, summary
from schemas.base import TenantId

log = logging.getLogger(__name__)

TELEGRAM = "https://api.telegram.org"


class ListeningTelegram(TelegramChannel):
    """The channel of the worker. While it is open its updates are asked for, or Telegram is told where to bring them."""

    def __init__(self, opened: Opened, settings: TelegramSettings) -> None:
        super().__init__(settings.bots(), settings.api_url, opened.settings.url, settings.per_second)
        self._opened = opened
        self._webhook = settings.webhook
        self._limits = settings.media_limits
        self._inboxes: list[Inbox] = []
        self._sayings: list[Saying] = []
        self._tasks: list[asyncio.Task[None]] = []
        # A Bot API server of one's own calls any address; Telegram's do not.
        telegrams = settings.api_url.startswith(TELEGRAM)
        if settings.webhook and telegrams and not opened.settings.url.startswith("https://"):
            raise ConfigurationError(
                "PARLEY_TELEGRAM_WEBHOOK: needs PARLEY_PUBLIC_URL, an address that begins with https:// and that Telegram reaches"
            )

    async def open(self) -> None:
        for tenant in self.tenants:
            await asyncio.to_thread(_check, self._opened, tenant)
        await super().open()
        for tenant, bot in self.bots.items():
            self._begin(self._tell_commands(tenant))
            inbox = Inbox(self._opened, self.name, tenant)
            self._inboxes.append(inbox)
            door, saying = make_door(self, self._opened, tenant, inbox, self._limits)
            self._sayings.append(saying)
            lanes = Lanes(bot.id, door, inbox, WaitingRoom(self._opened, self.name, tenant))
            # What was kept while the bot was polled is taken in also where it has a webhook now.
            self._begin(lanes.run())
            self._begin(self._set_webhook(tenant) if self._webhook else Poller(bot, lanes).run())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    async def _set_webhook(self, tenant: TenantId) -> None:
        """Until Telegram has taken it."""
        url = f"{self._opened.settings.url}/telegram/{tenant}"
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                await called(
                    self.bots[tenant].set_webhook(
                        url,
                        secret_token=secret_of(self._opened.settings.signing_secret(), tenant),
                        allowed_updates=KINDS,
                    )
                )
            except Exception as error:
                log.warning("telegram: the webhook of tenant %s is not set: %s", tenant, describe(error))
                await asyncio.sleep(backoff.next())
            else:
                log.info("telegram: updates of tenant %s come to %s", tenant, url)
                return

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(saying.close() for saying in self._sayings))
        for inbox in self._inboxes:
            await asyncio.to_thread(inbox.close)
        await super().close()

    async def _tell_commands(self, tenant: TenantId) -> None:
        """What Telegram's menu offers, in each language. That it is missing stops nobody."""
        bot = self.bots[tenant]
        try:
            for language in (None, *LANGUAGES):
                offered = [
                    BotCommand(command=name, description=texts[language or "en"])
                    for name, texts in COMMANDS.items()
                ]
                await bot.set_my_commands(offered, language_code=language)
        except Exception as error:
            log.warning("telegram: the menu of commands was not set: %s", describe(error))


class WebhookDoor:
    """The gateway's part. Implements `connectors.kit.discovery.HttpDoor`."""

    def __init__(self, opened: Doorway, settings: TelegramSettings) -> None:
        self._opened = opened
        self._limits = settings.media_limits
        self._channel = TelegramChannel(settings.bots(), settings.api_url, per_second=settings.per_second)
        self._inboxes: dict[TenantId, Inbox] = {}
        self._sayings: list[Saying] = []
        self._webhooks: Webhooks | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        return [Route(path, self._take, methods=["POST"]) for path in PATHS]

    @property
    def paths(self) -> Mapping[str, Any]:
        return PATHS

    async def open(self) -> None:
        doors: dict[TenantId, Door] = {}
        for tenant in self._channel.tenants:
            inbox = self._inboxes[tenant] = Inbox(self._opened, self._channel.name, tenant)
            doors[tenant], saying = make_door(self._channel, self._opened, tenant, inbox, self._limits)
            self._sayings.append(saying)
        self._webhooks = Webhooks(doors, self._opened.settings.signing_secret())

    async def close(self) -> None:
        await asyncio.gather(*(saying.close() for saying in self._sayings))
        for inbox in self._inboxes.values():
            await asyncio.to_thread(inbox.close)
        await self._channel.close()

    async def _take(self, request: Request) -> Response:
        assert self._webhooks is not None  # the gateway opens it before it listens
        return await self._webhooks.take(request)


def make_door(
    channel: TelegramChannel, opened: Doorway, tenant: TenantId, inbox: Inbox, limits: Mapping[Kind, int]
) -> tuple[Door, Saying]:
    """One bot's, and what it speaks with, which is to be closed."""
    bot = channel.bots[tenant]
    sending = Sending(channel, opened.store.channels, opened.clock, str(uuid4()))
    saying = Saying(sending, tenant, bot.id, opened.clock)
    erasing, fetching = partial(erase_chat, opened), Fetching(bot, limits)
    return Door(bot, inbox, saying, channel.pace(tenant), erasing, fetching), saying


def _check(opened: Opened, tenant: TenantId) -> None:
    try:
        opened.store.current(tenant)
    except StoreUnavailable as error:
        log.warning("telegram: tenant %s is not looked up yet: %s", tenant, error)
    except UnknownTenant as error:
        known = sorted({each.tenant for each in opened.store.versions()})
        raise ConfigurationError(
            f"telegram: a token is given for tenant {tenant}, which was never imported; allowed: {', '.join(known) or 'none yet'}"
        ) from error


def erase_chat(opened: Doorway, chat: Chat) -> None:
    """When it returns the customer is on the list and the key is gone, so that whatever dies from then on is taken up by the next tidying; rows
    follow in a thread. Raises `StoreUnavailable`. One who is on the list already is not erased twice.
    """
    customer = (chat.tenant, chat.customer_id)
    known = customer in {(each.tenant, each.customer_id) for each in opened.store.erasures()}
    begin(
        opened.store, opened.keys, *customer, opened.clock.now()
    )  # whoever listed it may have died before the key
    if known:
        return
    Thread(target=partial(_erase_rows, opened, chat), name="telegram-erasure", daemon=True).start()


def _erase_rows(opened: Doorway, chat: Chat) -> None:
    try:
        erase(
            opened.store,
            opened.keys,
            opened.media,
            chat.tenant,
            chat.customer_id,
            now=opened.clock.now(),
            actor="customer (telegram)",
            wait=sleep,
            step=lambda what: nullcontext(),
        )
    except ParleyError as error:
        log.error(
            "telegram: an erasure is not complete, and is taken up by the next tidying: %s", summary(error)
        )
