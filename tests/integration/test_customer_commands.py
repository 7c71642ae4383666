"""`parley customers`, and what an export and an erasure do about who is one person: nothing by guess, nothing that was not asked for."""

import json
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
import typer

from parley.backends.keys import open_keys
from parley.backends.sql import open_store
from parley.ports.store import Commit
from parley.settings import Settings
from schemas.base import CustomerId, rfc3339
from tests.contract.test_store import NINE, conversation, history
from tests.integration.test_commands import Command, one_line
from tests.integration.test_commands import parley as parley
from tests.integration.test_privacy_commands import home as home
from tests.support.small_tenant import TENANT

NAMES = {"c-2": "y", "c-3": "z"}


@pytest.fixture
def three(home: Settings) -> Settings:
    """Customers `x`, `y` and `z`, with a conversation each: `c-1` on the web, `c-2` and `c-3` by Telegram."""
    store, keys = open_store(home.database), open_keys(home.keys)
    for name, who in NAMES.items():
        keys.create(TENANT, CustomerId(who))
        row = replace(conversation(name), customer_id=CustomerId(who), channel="telegram")
        later = replace(row, updated_at=NINE + timedelta(hours=1))
        store.commit(Commit("dialogue", [], history=[history(1, name)], projections=[later]))
    store.close()
    keys.close()
    return home


def test_customers_are_linked_shown_and_unlinked(parley: Command, three: Settings) -> None:
    assert parley("customers", "link", "c-1", "c-2", "-t", "bank", "--by", "Mei")[:2] == (
        0, "x and y of bank: linked\n",
    )  # fmt: skip
    code, out, _ = parley("customers", "link", "y", "x", "-t", "bank", "--json")
    assert (code, json.loads(out)) == (
        0,
        {"tenant": "bank", "customers": ["x", "y"], "state": "linked already"},
    )
    assert parley("customers", "link", "c-3", "y", "-t", "bank")[0] == 0
    shown = json.loads(parley("customers", "show", "c-3", "-t", "bank", "--json")[1])
    assert (shown["customer_id"], shown["linked"]) == ("z", ["x", "y"])
    assert (shown["links"][0]["customers"], shown["links"][0]["by"]) == (["x", "y"], "Mei")
    assert {each["conversation_id"]: each["customer_id"] for each in shown["conversations"]} == {
        "c-1": "x", "c-2": "y", "c-3": "z",
    }  # fmt: skip
    assert shown["conversations"][-1]["updated_at"] == rfc3339(NINE), "newest first"
    assert "x and y, by Mei" in parley("customers", "show", "x", "-t", "bank")[1]
    assert parley("customers", "unlink", "c-2", "c-1", "-t", "bank", "--by", "Bo")[0] == 0
    assert json.loads(parley("customers", "show", "x", "-t", "bank", "--json")[1])["linked"] == []
    assert "linked to nobody" in parley("customers", "show", "x", "-t", "bank")[1]
    noted = json.loads(parley("privacy", "audit", "--json")[1])
    assert [(each["action"], each["customer_id"], each["details"]) for each in noted][::2] == [
        ("customers.link", "x", {"linked": "y", "by": "Mei"}),
        ("customers.unlink", "y", {"linked": "x", "by": "Bo"}),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("link", "c-1", "x", "-t", "bank"), "OTHER: 'x' is CUSTOMER already"),
        (("link", "c-1", "c-9", "-t", "bank"), "bank has no customer and no conversation 'c-9'; allowed"),
        (("link", "x", "y", "-t", "shop"), "--tenant: 'shop' was never imported; allowed: bank"),
        (("link", "x", "y", "-t", "bank", "--by", "a\nb"), "--by: is no name; allowed: 1 to 128"),
        (("link", "x", "y", "-t", "bank", "--by", " "), "--by: is no name"),
        (("unlink", "x", "y", "-t", "bank"), "OTHER: x and y are not linked to each other"),
        (("show", "nobody", "-t", "bank"), "bank has no customer and no conversation 'nobody'"),
    ],
)
def test_what_is_wrong_is_one_line(
    parley: Command, three: Settings, arguments: tuple[str, ...], words: str
) -> None:
    one_line(parley("customers", *arguments), words)


def linked(parley: Command) -> None:
    for other in ("y", "z"):
        assert parley("customers", "link", "x", other, "-t", "bank")[0] == 0


def test_an_export_tells_of_the_others_and_has_them_where_that_is_asked(
    parley: Command, three: Settings
) -> None:
    linked(parley)
    _, out, error = parley("privacy", "export", "x", "-t", "bank")
    document = json.loads(out)
    assert document["linked_customers"] == ["y", "z"] and "linked" not in document
    assert [row["by"] for row in document["tables"]["customer_links"]] != []
    assert "one person with y, z: not exported; --linked does it too" in error
    document = json.loads(parley("privacy", "export", "y", "-t", "bank", "--linked")[1])
    assert [each["customer_id"] for each in (document, *document["linked"])] == ["y", "x", "z"]
    assert [row["conversation_id"] for row in document["linked"][1]["tables"]["conversations"]] == ["c-3"]
    exported = [
        each["customer_id"]
        for each in json.loads(parley("privacy", "audit", "--json")[1])
        if each["action"] == "privacy.export"
    ]
    assert exported == ["x", "y", "x", "z"]


def erased(parley: Command) -> set[str]:
    return {each["customer_id"] for each in json.loads(parley("privacy", "list", "--json")[1])}


def test_an_erasure_is_of_one_alone_unless_more_is_asked_for(parley: Command, three: Settings) -> None:
    linked(parley)
    code, out, _ = parley("privacy", "erase", "y", "-t", "bank", "--yes", "--json")
    done = json.loads(out)
    assert (code, done["customer_id"], done["linked"], done["not_erased"]) == (0, "y", [], ["x", "z"])
    assert done["rows"]["customer_links"] == 1 and erased(parley) == {"y"}
    shown = json.loads(parley("customers", "show", "x", "-t", "bank", "--json")[1])
    assert shown["linked"] == ["z"], "the other one's link stays"
    one_line(parley("customers", "link", "x", "y", "-t", "bank"), "bank has no customer")
    code, out, _ = parley("privacy", "erase", "z", "-t", "bank", "--yes")
    assert code == 0 and "one person with x: not erased; --linked does it too" in out


def test_all_are_erased_with_linked_also_those_who_are_linked_through_others(
    parley: Command, three: Settings
) -> None:
    parley("customers", "link", "x", "y", "-t", "bank")
    parley("customers", "link", "y", "z", "-t", "bank")
    done = json.loads(parley("privacy", "erase", "x", "-t", "bank", "--yes", "--linked", "--json")[1])
    assert [each["customer_id"] for each in (done, *done["linked"])] == ["x", "y", "z"]
    assert done["not_erased"] == [] and erased(parley) == {"x", "y", "z"}
    assert all(each["rows"]["conversations"] == 1 for each in (done, *done["linked"]))


@pytest.mark.parametrize(("answer", "gone"), [(False, {"x"}), (True, {"x", "y", "z"})])
def test_at_a_terminal_it_asks_about_the_others(
    parley: Command, three: Settings, monkeypatch: pytest.MonkeyPatch, answer: bool, gone: set[str]
) -> None:
    linked(parley)
    asked: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        asked.append(text)
        return answer or len(asked) == 1

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert parley("privacy", "erase", "x", "-t", "bank")[0] == 0
    assert asked[1] == "One person with y, z. Erase them as well?" and erased(parley) == gone
