"""How the settings' writers are put together: salts for servers of others, and the last look at an adapter's files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from parley.backends.adapter_folder import digest_folder
from parley.domain.adapters import WEIGHTS
from parley.errors import AdapterRefused, StoreUnavailable
from parley.ports.adapters import AdapterVersion
from parley.settings import Settings
from schemas.base import TenantId
from tests.support.lora import BASE, RANK, write_adapter
from workers.writers import check_version, secret_salt, writer

BANK, SHOP = TenantId("bank"), TenantId("shop")
SECRET = b"x" * 32


def version(folder: Path) -> AdapterVersion:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    return AdapterVersion(BANK, digest_folder(folder), BASE.name, BASE.revision, RANK, 0, "", at)


def test_a_salt_is_one_tenants_and_follows_from_the_secret() -> None:
    assert secret_salt(SECRET, BANK) == secret_salt(SECRET, BANK)
    assert len({secret_salt(SECRET, BANK), secret_salt(SECRET, SHOP), secret_salt(b"y" * 32, BANK)}) == 3
    assert "bank" not in secret_salt(SECRET, BANK)


@pytest.mark.parametrize("setting", ["auto", "always", "never"])
def test_a_server_is_asked_with_each_setting_of_its_salt(tmp_path: Path, setting: str) -> None:
    settings = Settings.load(home=tmp_path, generator="openai", openai_model="m", openai_cache_salt=setting)
    assert writer(settings)


def test_files_that_are_those_of_their_publication_pass(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "a")
    check_version(BASE, RANK, version(folder), folder)


def test_files_that_are_wrong_are_refused_and_files_that_are_away_are_tried_again(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "a")
    published = version(folder)
    write_adapter(folder, fill=2)
    with pytest.raises(AdapterRefused, match="not those that were published"):
        check_version(BASE, RANK, published, folder)
    (folder / WEIGHTS).write_bytes(b"garbage")
    with pytest.raises(AdapterRefused, match="has 7 bytes"):
        check_version(BASE, RANK, published, folder)
    folder.rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        check_version(BASE, RANK, published, folder)
