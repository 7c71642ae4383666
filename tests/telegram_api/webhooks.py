"""Updates posted to a bot's own address, several at once, again and again until it says 2xx."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx

from tests.telegram_api.errors import Json
from tests.telegram_api.state import Bot, Webhook, World
from tests.telegram_api.updates import Pending
from tests.telegram_api.waiting import Changes

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
#: Called with what a webhook's answer asks for: "you can perform a request while sending an answer".
Answered = Callable[[Bot, Json], Awaitable[None]]


@dataclass
class Backoff:
    """Seconds; the wait doubles with each attempt."""

    first_s: float = 0.05
    most_s: float = 1.0
    timeout_s: float = 10.0

    def after(self, attempts: int) -> float:
        return min(self.first_s * 2.0**attempts, self.most_s)


class WebhookPoster:
    """One for all bots; `run` never ends by itself."""

    def __init__(self, world: World, changes: Changes, answered: Answered) -> None:
        self.backoff = Backoff()
        self._world = world
        self._changes = changes
        self._answered = answered
        self._on_the_way: dict[str, set[asyncio.Task[None]]] = {}

    async def run(self) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            try:
                while True:
                    self._start_due(client)
                    await self._changes.changed(self._next_in())
            finally:
                await self._abandon()

    def _start_due(self, client: httpx.AsyncClient) -> None:
        now = self._world.clock()
        for bot in self._world.bots.values():
            running = self._on_the_way.setdefault(bot.token, set())
            while bot.webhook is not None and len(running) < bot.webhook.max_connections:
                one = bot.updates.next_to_post(now)
                if one is None:
                    break
                task = asyncio.create_task(self._post(client, bot, bot.webhook, one))
                running.add(task)
                task.add_done_callback(running.discard)

    def _next_in(self) -> float | None:
        times = [bot.updates.next_at() for bot in self._world.bots.values() if bot.webhook is not None]
        due = [at for at in times if at is not None and at > self._world.clock()]
        return max(min(due) - self._world.clock(), 0.001) if due else None

    async def _post(self, client: httpx.AsyncClient, bot: Bot, hook: Webhook, one: Pending) -> None:
        headers = {SECRET_HEADER: hook.secret_token} if hook.secret_token else {}
        status, error, wanted = await self._exchange(client, hook.url, headers, one.update)
        now = self._world.clock()
        self._world.deliveries.append(
            {
                "bot": bot.token,
                "update_id": one.update_id,
                "attempt": one.attempts + 1,
                "at": now,
                "status": status,
                "error": error,
            }
        )
        if bot.webhook is hook and error:
            hook.last_error, hook.last_error_at = error, now
        if bot.webhook is hook:
            self._settle(bot, one, now, failed=bool(error))
        if wanted:
            await self._answered(bot, wanted)
        # After this task has left the set: there is room for one more.
        asyncio.get_running_loop().call_soon(self._changes.tell)

    def _settle(self, bot: Bot, one: Pending, now: float, failed: bool) -> None:
        if failed:
            bot.updates.failed(one, now + self.backoff.after(one.attempts))
        else:
            bot.updates.posted(one)

    async def _exchange(
        self, client: httpx.AsyncClient, url: str, headers: dict[str, str], update: Json
    ) -> tuple[int, str, Json]:
        """Status, what went wrong, and the method that the answer asks for."""
        try:
            answer = await client.post(url, json=update, headers=headers, timeout=self.backoff.timeout_s)
        except httpx.TimeoutException:
            return 0, "Read timeout expired", {}
        except httpx.ConnectError:
            return 0, "Connection refused", {}
        except httpx.TransportError as error:
            return 0, f"Connection closed: {type(error).__name__}", {}
        if not answer.is_success:
            said = f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
            return answer.status_code, said, {}
        return answer.status_code, "", _wanted(answer)

    async def _abandon(self) -> None:
        for task in [task for running in self._on_the_way.values() for task in running]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _wanted(answer: httpx.Response) -> Json:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "method" in found else {}
