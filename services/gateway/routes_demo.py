"""The tenants' demo sites over HTTP: the widget's files, the sites' pages, and the widget key that they use."""

import hmac
from contextlib import suppress

from fastapi import APIRouter

from parley.errors import TransientError
from services.gateway.core import Gateway


class Demo:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def widget_key(self, tenant: str) -> str:
        return "pk_demo_" + hmac.digest(self.gateway.demo_key, tenant.encode(), "sha256").hex()[:32]

    async def start(self) -> None:
        with suppress(TransientError):
            pass


def routes(demo: Demo) -> APIRouter:
    return APIRouter(include_in_schema=False)
