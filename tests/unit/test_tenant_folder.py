"""Tenant folders: the repository's own pass, and every mistake is told with file, line and field."""

import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.contracts import ROOT
from parley.backends import text_files
from parley.backends.tenant_folder import load
from parley.backends.text_files import MAX_BYTES
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
        ("tenant.yaml", "  en: Pollo Mobile\n", "", "name.en", "missing"),
        ("tenant.yaml", "    en: Chick\n", "", "assistant.name.en", "missing"),
        ("tenant.yaml", "    en: Hi! What can I do for you?\n", "", "assistant.greeting.en", "missing"),
        (
            "tenant.yaml",
            "  en: Pollo Mobile",
            "  en: Pollo Mobile\n  fr: Pollo",
            "name.fr",
            "allowed: en, zh",
        ),
        ("intents/plans.yaml", "title:\n  en:", "title:\n  fr:", "title.en", "missing"),
        ("canned/texts.yaml", "goodbye:\n  en:", "goodbye:\n  de:", "goodbye.de", "allowed: en, zh"),
        (
            "intents/plans.yaml",
            "examples:\n  en:",
            "examples:\n  fr: [x]\n  en:",
            "examples.fr",
            "allowed: en, zh",
        ),
        (
            "intents/plans.yaml",
            "examples:\n  en:",
            "examples:\n  en: []\n  de:",
            "examples.en",
            "at least one",
        ),
        ("tenant.yaml", "timezone: Europe/Madrid", "timezone: ../../etc", "hours.timezone", "IANA"),
        ("tenant.yaml", "- 08:00-22:00", "- 22:00-08:00", "hours.weekly.mon.0", "ends before it begins"),
        ("tenant.yaml", "- 08:00-22:00", "- 08:00-08:00", "hours.weekly.mon.0", "ends before it begins"),
        ("tenant.yaml", "messages_per_second: 10.0", "messages_per_second: .inf", "limits", "finite"),
        ("tenant.yaml", "messages_per_second: 10.0", "messages_per_second: .nan", "limits", "finite"),
        ("tenant.yaml", "id: mobile", "id: &a mobile\nname: *a", "tenant.yaml", "aliases are not allowed"),
        ("tenant.yaml", "id: mobile", "id: !!timestamp 2026-99-99", "tenant.yaml", "cannot be read as"),
        ("tenant.yaml", "id: mobile", "? [id]\n: mobile", "tenant.yaml", "plain text"),
        ("tenant.yaml", "id: mobile", "id: !!python/name:os.system mobile", "tenant.yaml", "constructor"),
        ("tenant.yaml", "id: mobile", "id: " + "[" * 5_000, "tenant.yaml", "levels deep"),
        ("tenant.yaml", "id: mobile", "id: " + "9" * 5_000, "tenant.yaml", "cannot be read as"),
        ("tenant.yaml", "id: mobile", "id: mobile\n---\nid: other", "tenant.yaml", "another document"),
        ("canned/texts.yaml", "goodbye:", "- goodbye\n#", "canned", "expected"),
        ("articles/en/plans.md", "valid_from: 2026-09-01", "valid_from: 2026-13-45", "valid_from", "month"),
        ("articles/en/plans.md", "valid_from: 2026-09-01", "valid_from: 2026-02-30", "valid_from", "day"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(
    folder: Path, file: str, old: str, new: str, field: str, words: str
) -> None:
    edit(folder / file, old, new)
    told = problems(folder)
    assert field in told and words in told
    assert all(re.match(r"mobile/[^:]+:[1-9]\d*: ", line) for line in told.splitlines())


CHECKLIST = """calls:
  checklist:
  - id: greeting
    title: {en: Greeting}
    phrases: {en: [good morning]}
  - id: recorded
    title: {en: Said that it is recorded}
    phrases:
      en:
      - call is recorded
      - on a recorded line
    within_turns: 3
"""


def with_checklist(folder: Path) -> Path:
    file = folder / "tenant.yaml"
    file.write_text(file.read_text(encoding="utf-8") + CHECKLIST, encoding="utf-8")
    return file


def test_a_check_list_of_ones_own(folder: Path) -> None:
    assert load(folder).config.calls.checklist is None
    with_checklist(folder)
    found = load(folder).config.calls.checklist
    assert found is not None and [item.id for item in found] == ["greeting", "recorded"]
    assert found[1].within_turns == 3 and found[1].phrases["en"][1] == "on a recorded line"


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("id: recorded", "id: greeting", "calls.checklist.1.id", "greeting is used by an item before"),
        ("id: recorded", "id: Recorded!", "calls.checklist.1.id", "pattern"),
        ("title: {en: Said", "title: {zh: Said", "calls.checklist.1.title.en", "missing"),
        ("title: {en: Said", "title: {fr: x, en: Said", "calls.checklist.1.title.fr", "allowed: en, zh"),
        ("- on a recorded line", "- '?!…'", "calls.checklist.1.phrases.en.1", "no word that could be said"),
        ("- on a recorded line", "- x", "calls.checklist.1.phrases.en.1", "at least 2 characters"),
        ("phrases: {en: [good morning]}", "phrases: {}", "calls.checklist.0.phrases", "at least 1"),
        ("phrases: {en: [good", "phrases: {de: [x y], en: [good", "calls.checklist.0.phrases.de", "allowed: en, zh"),
        ("within_turns: 3", "within_turns: 0", "calls.checklist.1.within_turns", "greater than or equal to 1"),
        ("within_turns: 3", "within: 3", "calls.checklist.1.within", "unknown field"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_check_list_is_told_with_its_line(
    folder: Path, old: str, new: str, field: str, words: str
) -> None:
    file = with_checklist(folder)
    line = edit(file, old, new)
    [told] = problems(folder).splitlines()
    assert told.startswith(f"mobile/tenant.yaml:{line}: {field}: ") and words in told


def test_the_line_is_the_one_that_is_wrong(folder: Path) -> None:
    line = edit(folder / "tenant.yaml", "messages_per_second: 10.0", "messages_per_second: fast")
    assert f"mobile/tenant.yaml:{line}: limits.messages_per_second:" in problems(folder)
    line = edit(folder / "articles" / "en" / "plans.md", "| Sky | unlimited |", "| Sky |")
    assert f"mobile/articles/en/plans.md:{line}: table:" in problems(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "below"),
    [
        ("articles/en/plans.md", "language: en", "language: fr", "language: "),
        ("articles/en/plans.md", "valid_from: 2026-09-01", "valid_from: 2026-13-45", "valid_from: "),
        ("articles/en/roaming.md", "id: roaming", "id: plans", "id: "),
        ("articles/en/plans.md", "## ", "## \a", "file: holds a control character (U+0007)"),
        ("intents/greeting.yaml", "reply: greeting", "reply: nothing", "reply: "),
        ("tenant.yaml", "- 08:00-22:00", "- 22:00-08:00", "hours.weekly.mon.0: "),
        ("canned/texts.yaml", "  en: Bye!", "  fr: Bye!", "goodbye.fr: "),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_path_and_line(
    folder: Path, file: str, old: str, new: str, below: str
) -> None:
    line = edit(folder / file, old, new)
    assert f"mobile/{file}:{line}: {below}" in problems(folder)


def test_one_bad_canned_text_is_one_line(folder: Path) -> None:
    line = edit(folder / "canned" / "texts.yaml", "  en: You are welcome!", '  en: ""')
    (told,) = problems(folder).splitlines()
    assert told.startswith(f"mobile/canned/texts.yaml:{line}: thanks.en: ")


def test_a_canned_file_that_cannot_be_read_makes_no_text_missing(folder: Path) -> None:
    (folder / "canned" / "texts.yaml").write_text("greeting: [")
    (told,) = problems(folder).splitlines()
    assert "expected" in told


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("*", True),
        ("https://www.bank.example", True),
        ("http://localhost:3000", True),
        ("https://[::1]:8443", True),
        ("https://www.bank.example/", False),
        ("https://www.bank.example/chat", False),
        ("https://WWW.bank.example", False),
        ("https://www.bank.example:443", False),
        ("http://www.bank.example:80", False),
        ("https://*.bank.example", False),
        ("https://user@bank.example", False),
        ("www.bank.example", False),
        ("null", False),
        ("https://", False),
        ("https://bank.example\\n", False),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(folder: Path, origin: str, allowed: bool) -> None:
    text = (folder / "tenant.yaml").read_text("utf-8")
    written = re.sub(r"origins:\n +- .*", f'origins: ["{origin}"]'.replace("\\", "\\\\"), text)
    (folder / "tenant.yaml").write_text(written, "utf-8")
    if allowed:
        assert load(folder).config.channels.web.origins == (origin,)
    else:
        assert "channels.web.origins.0: no origin as browsers send it" in problems(folder)


# --- Files ------------------------------------------------------------------------------------------------------------


def test_how_a_file_was_saved_makes_no_difference(folder: Path) -> None:
    before = load(folder).version
    for file in ("tenant.yaml", "canned/texts.yaml", "articles/en/plans.md"):
        text = (folder / file).read_bytes()
        (folder / file).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert load(folder).version == before


@pytest.mark.parametrize(
    "name",
    [
        "intents/new.yml",
        "articles/en/new.markdown",
        "canned/de/new.yaml",
        "tenant.yml",
        "articles/a.png",
        "calls/new.json",
        "calls/more/new.vcon.json",
    ],
)
def test_a_file_that_nobody_would_read_is_refused_by_its_name(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text("x")
    (told,) = problems(folder).splitlines()
    assert told.startswith(
        f"mobile/{name}:1: file: would not be read; allowed: tenant.yaml, intents/NAME.yaml"
    )


def test_hidden_files_are_nobodys_business(folder: Path) -> None:
    before = load(folder).version
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    (folder / "articles" / ".DS_Store").write_bytes(b"\xff")
    assert load(folder).version == before


def _binary(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00\x01")


def _huge(path: Path) -> None:
    path.write_bytes(b"x" * (MAX_BYTES + 1))


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.symlink_to(path.parent)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_binary, "not UTF-8"),
        (_huge, "larger than 1024 KiB"),
        (_endless, "no file that can be read"),
        (_loop, "symbolic links"),
        (_dangling, "missing"),
        (_pipe, "no file that can be read"),
        (_folder, "a link to a folder"),
    ],
)
@pytest.mark.parametrize("file", ["tenant.yaml", "articles/en/plans.md"])
def test_a_file_that_cannot_be_read_is_one_line(
    folder: Path, file: str, make: Callable[[Path], None], words: str
) -> None:
    (folder / file).unlink()
    make(folder / file)
    told = [line for line in problems(folder).splitlines() if line.startswith(f"mobile/{file}:1: file: ")]
    assert any(words in line for line in told)


def test_a_file_that_may_not_be_read_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert "mobile/tenant.yaml:1: file: permission denied" in problems(folder)


def test_a_folder_may_not_hold_files_without_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "MAX_FILES", 3)
    assert "holds more than 3 files" in problems(folder)


def test_every_problem_is_told_at_once(folder: Path) -> None:
    edit(folder / "tenant.yaml", "id: mobile", "id: other")
    edit(folder / "intents" / "plans.yaml", "route: answer", "route: guess")
    (folder / "articles" / "en" / "bills.md").write_bytes(b"\xff\xfe")
    assert len(problems(folder).splitlines()) >= 3


def test_an_empty_folder_is_told_what_it_needs(tmp_path: Path) -> None:
    told = problems(tmp_path)
    assert "tenant.yaml" in told and "intents" in told and "articles" in told


def privacy(folder: Path, *lines: str) -> int:
    """Instead of the tenant's own; the number of the first of these lines."""
    file = folder / "tenant.yaml"
    kept = file.read_text(encoding="utf-8").partition("privacy:")[0]
    file.write_text(kept + "privacy:\n" + "\n".join(f"  {line}" for line in lines) + "\n", encoding="utf-8")
    return kept.count("\n") + 2


@pytest.mark.parametrize(
    ("lines", "at", "field", "words"),
    [
        (("patterns:", "- name: our_number", "  regex: '[0-9]+'"), 2, "patterns.0.regex", "how often at most"),
        (("patterns:", "- name: our_number", "  regex: '(?:[0-9]{1,9}){3,4}'"), 2, "patterns.0.regex", "slow"),
        (("patterns:", "- name: our_number", "  regex: ''"), 2, "patterns.0.regex", "at least 1"),
        (("patterns:", "- name: our_number", "  regex: '[0-9]{8}'"), 2, "patterns.0.regex", "would mask 20261123"),
        (("patterns:", "- name: A-1", "  regex: 'A[0-9]{8}'"), 1, "patterns.0.name", "match"),
        (("patterns:", "- regex: 'A[0-9]{8}'"), 1, "patterns.0.name", "missing"),
        (("patterns:", "- name: our_number", "  regex: 'A[0-9]{8}'", "  checksum: luhn"), 3, "patterns.0.checksum", "digits"),
        (("patterns:", "- name: our_number", "  regex: 'A[0-9]{8}'", "  checksum: crc"), 3, "patterns.0.checksum", "luhn"),
        (("patterns:", "- {name: one, regex: 'A[0-9]{8}'}", "- {name: one, regex: 'B[0-9]{8}'}"), 0, "", "more than one"),
        (("vault: true", "vault_days: 0"), 1, "vault_days", "greater than or equal to 1"),
        (("vaults: true",), 0, "vaults", "unknown field"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_used_is_refused(
    folder: Path, lines: tuple[str, ...], at: int, field: str, words: str
) -> None:
    first = privacy(folder, *lines)
    found = problems(folder)
    line = first - 1 if not field else first + at
    assert f"mobile/tenant.yaml:{line}: privacy{'.' if field else ''}{field}" in found
    assert words in found


def test_a_pattern_that_would_mask_the_tenants_own_amounts_is_refused(folder: Path) -> None:
    edit(
        next((folder / "articles" / "en").glob("*.md")),
        "\n\n",
        "\n\nYou may transfer 1200 to a friend.\n\n",
    )
    privacy(folder, "patterns:", "- name: our_number", "  regex: '[0-9]{4} eur'")
    assert "would mask 2500 eur" in problems(folder)  # written by many customers, whatever a tenant has
    privacy(folder, "patterns:", "- name: our_number", "  regex: '[0-9]{4}'", "  cues: [transfer]")
    assert "too wide: it would mask 1200 in mobile/articles/en/" in problems(folder)


def test_what_a_pattern_masks_of_other_texts_is_a_warning(folder: Path) -> None:
    article = next((folder / "articles" / "en").glob("*.md"))
    edit(article, "\n\n", "\n\nYour number looks like PX1234567.\n\n")
    privacy(folder, "patterns:", "- name: our_number", "  regex: 'PX[0-9]{7}'")
    [warning] = load(folder).warnings
    assert (
        "privacy.patterns.0.regex: masks what stands in the tenant's own texts: PX1234567 in mobile/articles"
        in warning
    )
