"""From PARLEY_INDEX_URL to a retriever, without any server."""

import sqlite3
import sys
from pathlib import Path

import pytest

from parley.backends.hybrid import HybridRetriever
from parley.backends.index import open_retriever
from parley.backends.sqlite_index import SqliteIndex
from parley.errors import ConfigurationError, StoreUnavailable
from parley.ports.models import Query
from parley.settings import Settings
from schemas.base import TenantId
from tests.support.retrievers import TODAY, chunk
from tests.support.vectors import NO_VECTORS

BANK = TenantId("bank")


def test_the_default_is_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_INDEX_URL", raising=False)
    assert Settings.load().index == "sqlite:"
    monkeypatch.setenv("PARLEY_INDEX_URL", "chroma:")
    assert Settings.load().index == "chroma:"


@pytest.mark.parametrize("url", ["sqlite:", "chroma:", "weaviate://localhost:8080?grpc=50051"])
def test_opening_opens_nothing(url: str, tmp_path: Path) -> None:
    open_retriever(url, tmp_path).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        *("pinecone:", "sqlite", "sqlite:///x.db", "weaviate:", "weaviate://", "weaviate://host"),
        *("weaviate://host:8080", "weaviate://host:8080?grpc=", "weaviate://host:8080?grpc=x"),
        *("weaviate://host:8080?grpc=99999", "weaviate://host?grpc=1", "weaviate://host:x?grpc=1"),
        *(
            "weaviate://host:8080/path?grpc=1",
            "weaviate://host:8080?grpc=1&grpc=2",
            "weaviate://:8080?grpc=1",
        ),
        "weaviate://host:8080?grpc=1&tls=yes",
    ],
)
def test_what_cannot_be_is_said_with_what_can(url: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"PARLEY_INDEX_URL: .*allowed are sqlite: \| chroma: \| weaviate:"
    ):
        open_retriever(url, tmp_path)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chromadb", None)
    with pytest.raises(ConfigurationError, match=r"PARLEY_INDEX_URL: .*pip install 'parley\[chroma\]'"):
        open_retriever("chroma:", tmp_path)


def test_a_folder_that_cannot_be_written_names_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in ("sqlite:", "chroma:"):
        with pytest.raises(ConfigurationError, match="PARLEY_HOME: cannot write to"):
            open_retriever(url, tmp_path / "file").ready(BANK, "v1", "")


def test_an_index_of_another_format_is_built_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bank.index.db") as old:
        old.execute("CREATE TABLE chunks (row INTEGER PRIMARY KEY, chunk_id TEXT)")
        old.execute("CREATE TABLE versions (number INTEGER, version TEXT)")
    old.close()
    retriever = HybridRetriever(SqliteIndex(tmp_path))
    assert not retriever.ready(BANK, "v1", "")
    assert retriever.sync(BANK, "v1", [chunk("a", "A lost card.")], NO_VECTORS) == 1
    assert len(retriever.search(BANK, "v1", [Query("lost card", "en", TODAY)])[0]) == 1
    retriever.close()


def test_a_database_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "bank.index.db").mkdir()
    with pytest.raises(StoreUnavailable, match="search index of bank"):
        HybridRetriever(SqliteIndex(tmp_path)).ready(BANK, "v1", "")
