"""What the gateway is given. It opens none of it and closes none of it; `services.gateway.server.serve` does."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from parley.codec import Codec
from parley.ports.bus import Bus
from parley.ports.clock import Clock
from parley.ports.keys import CustomerKeys
from parley.ports.media import MediaStore
from parley.ports.store import Store
from parley.runtime.vault import Vault
from parley.settings import Settings


@dataclass(frozen=True, slots=True)
class Deps:
    bus: Bus
    store: Store
    codec: Codec
    vault: Vault
    keys: CustomerKeys
    media: MediaStore
    settings: Settings
    clock: Clock
    registry: CollectorRegistry
