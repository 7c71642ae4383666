"""The tenants' demo sites over HTTP, with the widget key that they use. Pages are made in `demo_pages`."""

import hmac
import logging
from collections.abc import Callable
from datetime import date
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from parley.errors import TransientError, UnknownTenant
from parley.ports.store import AccessKey
from schemas.base import TenantId
from services.gateway import demo_calls, static
from services.gateway.core import Gateway
from services.gateway.demo_pages import FOLDER, Page, Site
from services.gateway.directory import key_hash
from services.gateway.problems import Problem

logger = logging.getLogger(__name__)

LANGUAGE_COOKIE = "parley_demo_lang"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Demo:
    """Makes each tenant's site once a version, and sees to it that its widget key is known."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._sites: dict[str, tuple[str, Site]] = {}
        self.files = static.load(FOLDER.iterdir())

    def widget_key(self, tenant: str) -> str:
        """Derived from the secret, so that it need not be kept in clear anywhere."""
        return "pk_demo_" + hmac.digest(self._gateway.demo_key, tenant.encode(), "sha256").hex()[:32]

    async def start(self) -> None:
        """Make the widget keys known; what fails now is done when a page is asked for."""
        try:
            for tenant in await self._gateway.directory.tenants():
                await self._gateway.threads.run(partial(self._register, tenant))
        except TransientError as error:
            logger.warning("the demo's widget keys could not be stored yet: %s", error)

    async def site(self, tenant: str) -> Site:
        """Raises `UnknownTenant`, `StoreUnavailable`."""
        view = await self._gateway.directory.tenant(tenant)
        made = self._sites.get(tenant)
        if made is None or made[0] != view.version:
            made = (
                view.version,
                await self._gateway.threads.run(lambda: self._make(TenantId(tenant), view.version)),
            )
            self._sites[tenant] = made
        return made[1]

    async def first_tenant(self) -> TenantId | None:
        tenants = await self._gateway.directory.tenants()
        return tenants[0] if tenants else None

    def today(self) -> date:
        return self._gateway.deps.clock.now().date()

    def _make(self, tenant: TenantId, version: str) -> Site:
        self._register(tenant)
        store = self._gateway.deps.store
        return Site(
            store.config(tenant, version),
            store.content(tenant, version),
            self.widget_key(tenant),
            demo_calls.examples(tenant),
        )

    def _register(self, tenant: TenantId) -> None:
        store, digest = self._gateway.deps.store, key_hash(self.widget_key(tenant))
        if store.key(digest) is None:
            # Without origins of its own the key is bound to the tenant's; the demo's own pages are always allowed.
            store.put_key(AccessKey(digest, tenant, "widget", "demo", (), self._gateway.deps.clock.now()))


def routes(demo: Demo) -> list[BaseRoute]:
    """Plain routes: pages are for people, and no part of the API's document."""

    async def landing(request: Request) -> Response:
        tenant = await demo.first_tenant()
        if tenant is None:
            raise Problem(404, "no tenant was imported yet: parley tenants import DIR")
        return RedirectResponse(f"/demo/{tenant}", 302)

    async def home(request: Request) -> Response:
        return await _page(demo, request, lambda site, language: site.home(language, demo.today()))

    async def article(request: Request) -> Response:
        article_id = request.path_params["article_id"]
        return await _page(demo, request, lambda site, language: site.article(article_id, language))

    async def call(request: Request) -> Response:
        return await _page(demo, request, lambda site, language: site.call(language))

    async def missing(request: Request) -> Response:
        return await _page(demo, request, lambda site, language: site.missing(language))

    async def file(request: Request) -> Response:
        found = demo.files.get(request.path_params["name"])
        if found is None:
            raise Problem(404, "there is no such file")
        return static.respond(request, found)

    return [
        Route("/", landing),
        Route("/demo", landing),
        Route("/demo/", landing),
        Route("/demo/static/{name}", file),
        Route("/demo/{tenant}", home),
        Route("/demo/{tenant}/", home),
        Route("/demo/{tenant}/help/{article_id}", article),
        Route("/demo/{tenant}/call", call),
        Route("/demo/{tenant}/{rest:path}", missing),
    ]


async def _page(demo: Demo, request: Request, make: Callable[[Site, str], Page]) -> Response:
    try:
        site = await demo.site(request.path_params["tenant"])
    except UnknownTenant as error:
        raise Problem(404, "there is no such tenant") from error
    asked = request.query_params.get("lang")
    page = make(site, _language(request, site))
    response = Response(page.html, page.status, HEADERS, "text/html; charset=utf-8")
    if (
        asked in site.languages
    ):  # a link to a source says no language: it opens in the one that was chosen last
        response.set_cookie(LANGUAGE_COOKIE, asked, path="/demo", httponly=True, samesite="lax")
    return response


def _language(request: Request, site: Site) -> str:
    """Asked for, chosen before, or the browser's first one that the tenant speaks; else the tenant's own."""
    accepted = [
        part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")
    ]
    wanted = [request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE), *accepted]
    for each in wanted:
        code = (each or "").partition("-")[0].lower()
        if code in site.languages:
            return code
    return site.default_language
