"""For every table there is a decision about what an erasure does with it; adding one without a decision fails here."""

import pytest
from sqlalchemy import Column, MetaData, String, Table

from parley.backends.sql import privacy
from parley.backends.sql import tables as t


def undecided(metadata: MetaData, keys: MetaData) -> set[str]:
    """Tables that are neither purged nor named with a reason to stay."""
    purged = {table.name for table in (*privacy.customer_tables(), *privacy.conversation_tables())}
    return {*metadata.tables, *keys.tables} - purged - set(privacy.KEPT)


def test_every_table_is_purged_or_kept_with_a_reason() -> None:
    assert undecided(t.metadata, t.keys_metadata) == set()
    assert all(privacy.KEPT.values())
    assert set(privacy.KEPT) <= {*t.metadata.tables, *t.keys_metadata.tables}, "a table that is gone"


def test_what_is_purged_today() -> None:
    assert {table.name for table in privacy.customer_tables()} == {
        "chats",
        "conversations",
        "customer_links",
        "deliveries",
        "delivery_states",
        "feedback",
        "masked_values",
        "parked",
        "waiting",
    }
    columns = {table.name: column.name for table, column in privacy.conversation_tables().items()}
    assert columns == {
        "states": "state_key",
        "timers": "state_key",
        "history": "conversation_id",
        "claims": "conversation_id",
    }


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch) -> MetaData:
    """The store's tables, to which a test may add some."""
    grown = MetaData()
    for table in t.metadata.sorted_tables:
        table.to_metadata(grown)
    monkeypatch.setattr(t, "metadata", grown)
    return grown


def test_a_new_table_needs_a_decision(another: MetaData) -> None:
    Table("notes", another, Column("note", String, primary_key=True))
    assert undecided(another, t.keys_metadata) == {"notes"}


def test_a_new_table_with_the_customers_columns_is_purged_without_another_line(another: MetaData) -> None:
    Table("vault", another, Column("tenant", String), Column("customer_id", String, primary_key=True))
    Table("drafts", another, Column("conversation_id", String, primary_key=True))
    assert undecided(another, t.keys_metadata) == set()
    assert "vault" in {table.name for table in privacy.customer_tables()}
    assert "drafts" in {table.name for table in privacy.conversation_tables()}


def test_who_is_named_by_a_customer_is_named_with_the_tenant() -> None:
    """Customers' ids are a tenant's own: one without the other would purge somebody else's rows."""
    assert all("tenant" in table.c for table in privacy.customer_tables())
