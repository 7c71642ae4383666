"""Which tenant is which bot: read from the environment or a file, and refused by name where it cannot be."""

from pathlib import Path

import pytest

from connectors.telegram.settings import TelegramSettings
from parley.errors import ConfigurationError

ONE, TWO = "223456:QBC-DEF1234ghIkl-zyx57W2v1u123ew33", "654321:ZBC-DEF1234ghIkl-zyx57W2v1u123ew22"


def settings(monkeypatch: pytest.MonkeyPatch, **named: object) -> TelegramSettings:
    for name, value in named.items():
        monkeypatch.setenv(f"PARLEY_TELEGRAM_{name.upper()}", str(value))
    return TelegramSettings.load()


@pytest.mark.parametrize(
    ("text", "photo", "voice"),
    [("20", 20, 20), ("0", 0, 0), ("photo=10", 10, 20), (" photo = 10 , voice=0", 10, 0)],
)
def test_limits_of_files(monkeypatch: pytest.MonkeyPatch, text: str, photo: int, voice: int) -> None:
    found = settings(monkeypatch, media_mb=text).media_limits
    assert (found["photo"], found["voice"]) == (photo << 20, voice << 20)
    assert set(found) == {"photo", "voice", "audio", "video", "document", "sticker"}


@pytest.mark.parametrize(
    "text", ["", "21", "-1", "1.5", "photo", "photo=", "photo=21", "film=1", "photo=1,", "１"]
)
def test_limits_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"PARLEY_TELEGRAM_MEDIA_MB: .*allowed: 0 to 20, or a list"):
        settings(monkeypatch, media_mb=text)


def test_without_a_token_there_is_no_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch)
    assert not found.configured and found.bots() == {}


def test_one_token_is_one_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, token=ONE, tenant="mobile")
    assert found.configured and found.bots() == {"mobile": ONE}
    assert ONE not in repr(found)


def test_a_file_has_a_line_for_each_bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# bots\nbank: {ONE}\n\nmobile = {TWO}  # the operator's\n")
    assert settings(monkeypatch, tokens_file=file).bots() == {"bank": ONE, "mobile": TWO}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"bank 123", ":1: must be `tenant: token`"),
        (b"bank: 123", ":1: is no token"),
        (f"bank: {ONE}\nbank: {TWO}".encode(), ":2: tenant bank has a bot already"),
        (f"bank: {ONE}\nmobile: {ONE}".encode(), "one bot stands for two tenants"),
        (f"Bank!: {ONE}".encode(), ":1: must be"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_its_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, named: str
) -> None:
    file = tmp_path / "tokens"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        settings(monkeypatch, tokens_file=file).bots()
    assert named in str(refused.value) and ONE not in str(refused.value)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"token": "secret-and-wrong"}, "PARLEY_TELEGRAM_TOKEN: is no token"),
        ({"token": ONE, "api_url": "telegram"}, "PARLEY_TELEGRAM_API_URL"),
        ({"token": ONE, "tokens_file": "x"}, "set one of them"),
        ({"webhook": "perhaps"}, "PARLEY_TELEGRAM_WEBHOOK"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(monkeypatch, **named).bots()
    assert told in str(refused.value) and "secret-and-wrong" not in str(refused.value)


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "1001", "many"])
def test_a_rate_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    with pytest.raises(ConfigurationError, match="PARLEY_TELEGRAM_PER_SECOND: Input should be "):
        settings(monkeypatch, per_second=text)
