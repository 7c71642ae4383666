"""The tenants' demo sites over HTTP: the widget's files, the sites' pages, and the widget key that they use."""

import hmac
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from parley.errors import TransientError, UnknownTenant
from parley.ports.store import AccessKey
from schemas.base import TenantId
from schemas.tenant import Article
from services.gateway import static
from services.gateway.core import Gateway
from services.gateway.demo_pages import HERE, Pages
from services.gateway.directory import TenantView, key_hash
from services.gateway.problems import Problem

WIDGET = Path(__file__).resolve().parents[2] / "connectors" / "web" / "widget"
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Demo:
    """The demo sites of one gateway. Their widget keys follow from the signing secret: only hashes are stored."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.enabled = gateway.deps.settings.demo
        self.pages = Pages()
        self._registered: set[str] = set()

    def widget_key(self, tenant: str) -> str:
        return "pk_demo_" + hmac.digest(self.gateway.demo_key, tenant.encode(), "sha256").hex()[:32]

    async def start(self) -> None:
        """Register the keys of the tenants there are; those imported later are registered with their first page."""
        if self.enabled:
            with suppress(TransientError):
                for tenant in await self.gateway.directory.tenants():
                    await self.register(tenant)

    async def register(self, tenant: str) -> None:
        if tenant not in self._registered:
            now = self.gateway.deps.clock.now()
            key = AccessKey(key_hash(self.widget_key(tenant)), TenantId(tenant), "widget", "demo site", (), now)
            await self.gateway.threads.run(lambda: self.gateway.deps.store.put_key(key))
            self._registered.add(tenant)

    async def view(self, tenant: str) -> TenantView:
        """Raises `Problem` 404."""
        try:
            found = await self.gateway.directory.tenant(tenant)
        except UnknownTenant as error:
            raise Problem(404, f"there is no tenant {tenant[:64]!r}") from error
        await self.register(tenant)
        return found

    async def articles(self, tenant: str, version: str) -> tuple[Article, ...]:
        store = self.gateway.deps.store
        content = await self.gateway.threads.run(lambda: store.content(TenantId(tenant), version))
        return content.articles


def routes(demo: Demo) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    modules = static.load(sorted(WIDGET.iterdir()))
    site = static.load(sorted(HERE.iterdir()))

    @router.get("/widget.js")
    async def loader(request: Request) -> Response:
        return static.respond(request, modules["widget.js"])

    @router.get("/widget/{name}")
    async def module(request: Request, name: str) -> Response:
        if name not in modules:
            raise Problem(404, "there is no such part of the widget")
        return static.respond(request, modules[name])

    if not demo.enabled:
        return router

    @router.get("/")
    async def root() -> Response:
        tenants = await demo.gateway.directory.tenants()
        if not tenants:
            raise Problem(404, "no tenant was imported yet: parley tenants import DIR")
        return RedirectResponse(f"/demo/{tenants[0]}")

    @router.get("/demo/static/{name}")
    async def asset(request: Request, name: str) -> Response:
        if name not in site:
            raise Problem(404, "there is no such file")
        return static.respond(request, site[name])

    @router.get("/demo/{tenant}")
    async def home(request: Request, tenant: str) -> Response:
        view = await demo.view(tenant)
        language = _language(request, view)
        articles = await demo.articles(tenant, view.version)
        today = demo.gateway.deps.clock.now().date()
        page = demo.pages.home(view.config, articles, language, demo.widget_key(tenant), today)
        return HTMLResponse(page, headers=SECURITY)

    @router.get("/demo/{tenant}/help/{article_id}")
    async def article(request: Request, tenant: str, article_id: str) -> Response:
        view = await demo.view(tenant)
        language = _language(request, view)
        key = demo.widget_key(tenant)
        named = [each for each in await demo.articles(tenant, view.version) if each.id == article_id]
        found = next((each for each in named if each.language == language), named[0] if named else None)
        if found is None:
            return HTMLResponse(demo.pages.missing(view.config, language, key), 404, headers=SECURITY)
        return HTMLResponse(demo.pages.article(view.config, found, language, key), headers=SECURITY)

    return router


def _language(request: Request, view: TenantView) -> str:
    """What the address asks for, else what the browser prefers, else the tenant's default."""
    offers = [request.query_params.get("lang", "")]
    offers += [part.split(";")[0].strip()[:2] for part in request.headers.get("accept-language", "").split(",")]
    return next((offer for offer in offers if offer in view.config.languages), view.config.default_language)
