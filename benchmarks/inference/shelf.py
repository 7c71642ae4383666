"""The tenants' adapters of a benchmark: the registry and the storage in memory."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from parley.ports.adapters import AdapterVersion
from parley.ports.engine import AdapterFiles
from schemas.base import TenantId

DIGEST_LENGTH = 64


class Shelf:
    """Versions by tenant, each in a folder of its own that links to the weights: the registry and the storage in memory.

    Copying gigabytes of weights for each version would measure a disk.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._numbers = count(1)
        self.live: dict[str, str] = {}
        self._found: dict[tuple[str, str], AdapterVersion] = {}

    def publish(self, tenant: str, weights: Path, rank: int) -> str:
        """A new live version; its name."""
        digest = f"{next(self._numbers):0{DIGEST_LENGTH}x}"
        folder = self._root / tenant / digest
        folder.mkdir(parents=True)
        for path in weights.iterdir():
            (folder / path.name).symlink_to(path.resolve())
        version = AdapterVersion(
            TenantId(tenant), digest, "random", "1", rank, 0, str(folder), datetime.now(UTC)
        )
        self._found[tenant, digest] = version
        self.live[tenant] = digest
        return version.name

    def files(self, name: str) -> AdapterFiles:
        tenant, _, digest = name.partition("@")
        version = self._found[tenant, digest]
        return AdapterFiles(name, Path(version.uri), version.rank)

    def get(self, tenant: TenantId, digest: str) -> AdapterVersion | None:
        return self._found.get((tenant, digest))

    def before(self, tenant: TenantId) -> str | None:
        return None

    def fetch(self, uri: str, digest: str) -> Path:
        return Path(uri)
