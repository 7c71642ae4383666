"""The other way in: Telegram posts each update to `/telegram/{tenant}`, and is told 200 once the log has it.

What has no secret is refused before its body is read, so a stranger's flood costs nothing but the connection. The secret follows from the
platform's own, for each tenant, and is told to Telegram with the address (`setWebhook`, `secret_token`).
"""

import hmac
import logging
from collections.abc import Mapping

from aiogram.types import Update
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from connectors.kit.http import again, body_of, first_fault, operation, problem
from connectors.kit.inbox import TooMany
from connectors.telegram.door import Door
from connectors.telegram.reading import read_json
from connectors.telegram.translate import arrival_of
from connectors.telegram.turns import Turns
from connectors.telegram.versions import Versions
from parley.errors import TransientError, UnknownTenant
from parley.runtime.faults import describe
from schemas.base import TenantId

log = logging.getLogger(__name__)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_BODY_BYTES = 1 << 20
"""Telegram's updates have a few KB; media are fetched, never posted."""
PATHS = {
    "/telegram/{tenant}": operation(
        "Telegram brings an update",
        header=SECRET_HEADER,
        body={"type": "object", "required": ["update_id"], "properties": {"update_id": {"type": "integer"}}},
        taken={200: "The log has it, or it means nothing here"},
        refused={400: "It is no update, and which field is wrong"},
    )
}
"""This door in the OpenAPI document; the Bot API describes the rest of an `Update`."""


def secret_of(signing_secret: bytes, tenant: TenantId) -> str:
    """What Telegram sends with every update of this tenant's bot: 64 hexadecimal digits."""
    return hmac.new(signing_secret, f"telegram-webhook:{tenant}".encode(), "sha256").hexdigest()


class Webhooks:
    """Doors by tenant. One chat's updates are taken one after the other, in the order of their coming."""

    def __init__(self, doors: Mapping[TenantId, Door], signing_secret: bytes) -> None:
        self._doors = doors
        self._secrets = {tenant: secret_of(signing_secret, tenant).encode() for tenant in doors}
        self._nobody = secret_of(signing_secret, TenantId("-")).encode()
        self._turns = Turns()
        self._versions = {tenant: Versions() for tenant in doors}

    async def take(self, request: Request) -> Response:
        tenant = TenantId(str(request.path_params["tenant"]))
        presented = request.headers.get(SECRET_HEADER, "").encode()
        # A tenant without a bot is compared as well, so that nobody learns from the time who has one.
        if (
            not hmac.compare_digest(self._secrets.get(tenant, self._nobody), presented)
            or tenant not in self._doors
        ):
            return problem(401, f"{SECRET_HEADER}: is missing or not this bot's")
        try:
            body = await body_of(request, MAX_BODY_BYTES)
        except ClientDisconnect:
            return problem(400, "the body ended before it was complete")
        if body is None:
            return problem(413, f"body: more than {MAX_BODY_BYTES} bytes; allowed: one update")
        try:
            update = read_json(body)
        except ValidationError as error:
            log.error("telegram: an update of tenant %s cannot be read: %s", tenant, first_fault(error))
            return problem(400, f"{first_fault(error)}; allowed: an Update of the Bot API")
        return await self._log(tenant, update)

    async def _log(self, tenant: TenantId, update: Update) -> Response:
        arrival = arrival_of(update)
        arrival = None if arrival is None else self._versions[tenant].changed(arrival)
        if arrival is None:
            return Response(status_code=200)
        try:
            async with self._turns.of((tenant, arrival.chat)):
                await self._doors[tenant].take(arrival)
        except (TransientError, UnknownTenant, TooMany) as error:
            if not isinstance(error, TooMany):  # a flood is to fill no log
                log.warning("telegram: an update is to come again: %s", error)
            return again(error)
        except Exception as error:  # it would come again for a day, and fail each time
            log.error("telegram: update %d is passed over: %s", arrival.update_id, describe(error))
        return Response(status_code=200)
