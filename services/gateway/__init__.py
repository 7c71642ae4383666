"""The gateway: the HTTP doors that customers come through. Start at `app`."""

from services.gateway.app import create_app, create_gateway
from services.gateway.deps import Deps
from services.gateway.server import GatewayServer, build_app, serve

__all__ = ["Deps", "GatewayServer", "build_app", "create_app", "create_gateway", "serve"]
