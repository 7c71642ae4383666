"""Who is asking, and from where: tokens, access keys, origins and addresses of a request, or the refusal of it."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from parley.errors import UnknownTenant
from parley.ports.clock import Clock
from parley.ports.store import AccessKey
from parley.settings import Settings
from services.gateway.directory import Directory, TenantView
from services.gateway.problems import FieldError, Problem
from services.gateway.tokens import Grant, TokenRefused, TokenSigner


class Doorman:
    """Raises `Problem` 401 or 403 (404 for a tenant that does not exist); lets everything else pass."""

    def __init__(self, signer: TokenSigner, directory: Directory, settings: Settings, clock: Clock) -> None:
        self._signer = signer
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._public_origin = origin_of(settings.url)

    async def admit(
        self, request: HTTPConnection, token: str | None, conversation_id: str
    ) -> tuple[Grant, TenantView]:
        """What the token allows, which must be this conversation, from a page that its key allows; and the tenant."""
        grant = self._grant(token, conversation_id)
        view = await self.tenant(grant.tenant)
        self.check_origin(request, view.origins(grant.key_id))
        return grant, view

    def _grant(self, token: str | None, conversation_id: str) -> Grant:
        if token is None:
            raise _unauthorized("Authorization", "is missing", "Bearer <the conversation's token>")
        try:
            grant = self._signer.verify(token, self._clock.now())
        except TokenRefused as error:
            raise _unauthorized("Authorization", str(error), "Bearer <the conversation's token>") from error
        if grant.conversation_id != conversation_id:
            raise Problem(
                403,
                "the token belongs to another conversation",
                FieldError(
                    field="conversation_id",
                    message="is not the token's",
                    allowed="the token's own conversation",
                ),
            )
        return grant

    async def caller(self, request: HTTPConnection) -> AccessKey:
        """The widget key or API key that the request comes with."""
        presented, kind = request.headers.get("x-widget-key"), "widget"
        if presented is None:
            presented, kind = bearer(request), "api"
        if presented is None:
            raise _unauthorized(
                "X-Widget-Key", "is missing", "X-Widget-Key: <key>, or Authorization: Bearer <API key>"
            )
        key = await self._directory.key(presented)
        if key is None or key.kind != kind:
            raise _unauthorized(
                "X-Widget-Key" if kind == "widget" else "Authorization", "is not a valid key", None
            )
        return key

    async def tenant(self, tenant: str) -> TenantView:
        try:
            return await self._directory.tenant(tenant)
        except UnknownTenant as error:
            raise Problem(
                404, "tenant: there is no such tenant", FieldError(field="tenant", message="is unknown")
            ) from error

    async def tenant_of(self, key: AccessKey, tenant: str) -> TenantView:
        """The tenant that was asked for, which must be the key's."""
        view = await self.tenant(tenant)
        if key.tenant != tenant:
            raise Problem(
                403,
                "the key belongs to another tenant",
                FieldError(field="tenant", message="is not the key's"),
            )
        return view

    def check_origin(
        self, request: HTTPConnection, origins: tuple[str, ...], *, required: bool = False
    ) -> None:
        """Browsers say where a page comes from, and cannot be made to lie about it; other programs say nothing.

        Nor do browsers when a page of our own only reads: not every request can be `required` to say it.
        """
        origin = request.headers.get("origin")
        if origin is None:
            if required:
                raise foreign_origin("is missing")
        elif "*" not in origins and origin not in origins and not self.own_origin(request, origin):
            raise foreign_origin()

    def own_origin(self, request: HTTPConnection, origin: str) -> bool:
        """Whether the page is one of our own (the demo)."""
        own = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return self._settings.demo and origin in (own, self._public_origin)

    def address(self, request: HTTPConnection) -> str:
        """The client's address, as the outermost of our own proxies saw it."""
        peer, proxies = (
            request.client.host if request.client is not None else "unknown",
            self._settings.proxies,
        )
        if proxies == 0:
            return peer
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
        return hops[-proxies] if len(hops) >= proxies else peer


def bearer(request: HTTPConnection) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" and credentials.strip() else None


def origin_of(url: str) -> str:
    """The origin of pages at this address, as browsers write it: no path, nothing in capitals, no port that goes without saying."""
    parts = urlsplit(url.lower())
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}"


def foreign_origin(message: str = "is not allowed") -> Problem:
    return Problem(
        403,
        "this origin may not use the tenant's assistant",
        FieldError(
            field="Origin",
            message=message,
            allowed="an origin that the key is bound to, else one listed in channels.web.origins",
        ),
    )


def _unauthorized(field: str, message: str, allowed: str | None) -> Problem:
    return Problem(
        401,
        f"{field}: {message}",
        FieldError(field=field, message=message, allowed=allowed),
        headers={"WWW-Authenticate": 'Bearer realm="parley"'},
    )
