"""Tenant folders: the repository's own pass, and every mistake is told with file, line and field."""

import shutil
from pathlib import Path

import pytest

from infra.contracts import ROOT
from parley.backends.tenant_folder import load
from parley.errors import TenantInvalid

TENANTS = sorted(path.parent for path in (ROOT / "tenants").glob("*/tenant.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the smaller tenant, to be broken."""
    copy = tmp_path / "mobile"
    shutil.copytree(ROOT / "tenants" / "mobile", copy)
    return copy


def problems(folder: Path) -> str:
    with pytest.raises(TenantInvalid) as caught:
        load(folder)
    return str(caught.value)


def edit(path: Path, old: str, new: str) -> int:
    """Replace the first occurrence; the number of the line that it stands on."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("path", TENANTS, ids=lambda path: str(path.name))
def test_the_repositorys_tenants_are_valid(path: Path) -> None:
    found = load(path)
    assert found.config.id == path.name
    for article in found.content.articles:
        assert article.url.startswith(found.config.site_url)


@pytest.mark.parametrize("path", TENANTS, ids=lambda path: str(path.name))
def test_no_example_teaches_two_intents(path: Path) -> None:
    seen: dict[str, str] = {}
    for intent, by_language in load(path).content.examples.items():
        for text in (text for texts in by_language.values() for text in texts):
            assert seen.setdefault(text.lower(), intent) == intent, text


def test_risks_always_lead_to_a_human() -> None:
    for path in TENANTS:
        rules = load(path).config.intents.values()
        assert all(rule.route == "handoff" for rule in rules if rule.risk is not None)
        assert any(rule.risk == "human" for rule in rules)


def test_a_version_is_named_by_its_content(folder: Path) -> None:
    before = load(folder).version
    assert load(folder).version == before
    edit(folder / "articles" / "en" / "plans.md", "€9.90", "€9.95")
    assert load(folder).version != before


@pytest.mark.parametrize(
    ("file", "old", "new", "field", "words"),
    [
        ("tenant.yaml", "default_language: en", "default_language: fr", "tenant.yaml:", "one of languages"),
        ("tenant.yaml", "id: mobile", "id: Mobile!", "id", "pattern"),
        ("tenant.yaml", "id: mobile", "id: other", "id", "folder's name"),
        (
            "tenant.yaml",
            "id: mobile",
            "id: mobile\ncolour: red",
            "colour",
            "unknown field; allowed: id, name",
        ),
        ("tenant.yaml", "timezone: Europe/Madrid", "timezone: Mars/Base", "hours.timezone", "IANA"),
        (
            "tenant.yaml",
            "messages_per_second: 10.0",
            "messages_per_second: fast",
            "limits.messages_per_second",
            "number",
        ),
        ("tenant.yaml", "id: mobile", "id: mobile\nid: mobile", "id", "written twice"),
        ("tenant.yaml", "id: mobile", "id: [mobile", "tenant.yaml", "expected"),
        (
            "intents/plans.yaml",
            "route: answer",
            "route: guess",
            "route",
            "'answer', 'ask', 'handoff' or 'canned'",
        ),
        ("intents/plans.yaml", "route: answer", "route: canned", "file", "reply is required"),
        ("intents/plans.yaml", "id: plans", "id: plan", "id", "file's name"),
        ("intents/greeting.yaml", "reply: greeting", "reply: nothing", "reply", "no canned text"),
        ("canned/texts.yaml", "goodbye:", "good_bye:", "goodbye", "every tenant needs this text"),
        ("articles/en/plans.md", "language: en", "language: fr", "language", "allowed: en, zh"),
        ("articles/en/plans.md", "valid_from: 2026-09-01", "valid_from: soon", "valid_from", "date"),
        ("articles/en/plans.md", "id: plans", "id: roaming", "id", "used by another article"),
        (
            "articles/en/plans.md",
            "| Nest | 8 GB | unlimited | €9.90 |",
            "| Nest | 8 GB | €9.90 |",
            "table",
            "3 cells, its header has 4",
        ),
        ("articles/en/plans.md", "---\nid", "id", "file", "front matter"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(
    folder: Path, file: str, old: str, new: str, field: str, words: str
) -> None:
    edit(folder / file, old, new)
    told = problems(folder)
    assert field in told and words in told


def test_the_line_is_the_one_that_is_wrong(folder: Path) -> None:
    line = edit(folder / "tenant.yaml", "messages_per_second: 10.0", "messages_per_second: fast")
    assert f"mobile/tenant.yaml:{line}: limits.messages_per_second:" in problems(folder)
    line = edit(folder / "articles" / "en" / "plans.md", "| Sky | unlimited |", "| Sky |")
    assert f"mobile/articles/en/plans.md:{line}: table:" in problems(folder)


def test_every_problem_is_told_at_once(folder: Path) -> None:
    edit(folder / "tenant.yaml", "id: mobile", "id: other")
    edit(folder / "intents" / "plans.yaml", "route: answer", "route: guess")
    (folder / "articles" / "en" / "bills.md").write_bytes(b"\xff\xfe")
    assert len(problems(folder).splitlines()) >= 3


def test_an_empty_folder_is_told_what_it_needs(tmp_path: Path) -> None:
    told = problems(tmp_path)
    assert "tenant.yaml" in told and "intents" in told and "articles" in told
