"""The gateway: the HTTP doors that customers come through. Start at `app`."""

from services.gateway.app import create_app, create_gateway
from services.gateway.deps import Deps
from services.gateway.server import GatewayServer, serve

__all__ = ["Deps", "GatewayServer", "create_app", "create_gateway", "serve"]
