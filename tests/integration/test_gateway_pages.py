"""What browsers fetch besides the API: the widget's files and the demo sites."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from schemas.base import TenantId
from schemas.tenant import Article, TenantConfig, TenantContent
from services.gateway.demo_calls import examples
from services.gateway.demo_pages import Site
from tests.support.asgi import InProcess
from tests.support.doors import Doors, Visitor, open_doors
from tests.support.small_tenant import CONFIG, CONTENT

TODAY = date(2026, 11, 23)


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with open_doors(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(doors: Doors) -> Iterator[InProcess]:
    with InProcess(doors.app) as opened:
        yield opened


# --- Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/widget.js",
        "/widget/main.js",
        "/demo/static/site.css",
        "/demo/static/icon.svg",
        "/demo/static/call.js",
        "/demo/static/call.css",
    ],
)
def test_files_are_for_every_site_small_and_known_again(client: InProcess, path: str) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert plain.status_code == 200
    assert plain.headers["access-control-allow-origin"] == "*"
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in plain.headers["cache-control"]
    assert "content-encoding" not in plain.headers
    zipped = client.get(path, headers={"Accept-Encoding": "br;q=1.0, gzip"})
    assert zipped.headers.get("content-encoding") == "gzip"
    assert zipped.content == plain.content  # the client unpacks it
    again = client.get(path, headers={"If-None-Match": f'"other", {plain.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_widget_is_javascript(client: InProcess) -> None:
    answer = client.get("/widget.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert b"document.currentScript" in answer.content


def test_the_site_answers_with_a_slash_at_the_end_too(client: InProcess) -> None:
    plain, slash = client.get("/demo/bank"), client.get("/demo/bank/")
    assert (plain.status_code, slash.status_code) == (200, 200)
    assert slash.content == plain.content


def test_files_are_served_for_head_requests_too(client: InProcess) -> None:
    answer = client.request("HEAD", "/widget.js")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/widget/none.js",
        "/widget/../frames.py",
        "/widget/%2e%2e%2fframes.py",
        "/demo/static/page.html",
        "/demo/static/..%2fapp.py",
    ],
)
def test_no_other_file_is_to_be_had(client: InProcess, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"import " not in answer.content
    assert b"$widget_key" not in answer.content


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_the_front_door_leads_to_a_demo(client: InProcess) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/demo/bank")


def test_a_demo_shows_what_is_valid_and_allows_no_inline_code(client: InProcess) -> None:
    answer = client.get("/demo/bank")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    page = answer.text
    assert '<html lang="en">' in page
    assert 'href="/demo/bank/help/fees?lang=en"' in page
    assert "The Everyday account costs €4.50 a month." in page
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]* src=)", page)


def test_the_call_page_lists_the_tenants_examples_in_the_visitors_language(client: InProcess) -> None:
    answer = client.get("/demo/bank/call?lang=zh")
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert re.findall(
        r'<option value="([a-z-]+)" data-language="(..)" data-duration="(\d+)">', answer.text
    ) == [
        ("lost-card", "en", "221500"),
        ("foreign-fee", "en", "198900"),
        ("mortgage", "zh", "159600"),
        ("transfer-failed", "zh", "163600"),
    ]
    assert "旅途中钱包被偷" in answer.text
    assert "/widget.js" not in answer.text
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]* src=)", answer.text)
    assert 'href="/demo/bank/call?lang=en"' in client.get("/demo/bank?lang=en").text


def test_the_call_page_has_the_tenants_own_check_list(doors: Doors, client: InProcess) -> None:
    assert 'data-checks="{}"' in client.get("/demo/bank/call").text
    calls = {
        "checklist": [
            {"id": "disclosure", "title": {"en": 'Said "recorded"', "zh": "录音"}, "phrases": {"en": ["x y"]}}
        ]
    }
    config = TenantConfig.model_validate({**CONFIG.model_dump(), "calls": calls})
    site = Site(config, CONTENT, "pk", examples(TenantId("bank")))
    assert (
        'data-checks="{&quot;disclosure&quot;: &quot;Said \\&quot;recorded\\&quot;&quot;}"'
        in site.call("en").html
    )
    assert "{&quot;disclosure&quot;: &quot;录音&quot;}" in site.call("zh").html


def test_a_tenant_without_examples_has_no_call_page(client: InProcess) -> None:
    assert client.get("/demo/shop/call").status_code == 404
    assert "/call?" not in client.get("/demo/shop").text


def test_examples_that_cannot_be_read_break_no_page(tmp_path: Path) -> None:
    folder = tmp_path / "bank" / "calls"
    folder.mkdir(parents=True)
    (folder / "index.yaml").write_text("calls:\n- {name: one, title: {en: One}}\n")
    assert examples(TenantId("bank"), tmp_path) == ()  # there is no such file
    (folder / "one.vcon.json").write_text("{}")
    assert examples(TenantId("bank"), tmp_path) == ()  # no transcript
    (folder / "one.vcon.json").write_text('[{"speaker": "agent", "text": "Hello", "start": 0, "end": 2}]')
    [found] = examples(TenantId("bank"), tmp_path)
    assert (found.name, found.duration_ms) == ("one", 2_000)


def test_an_article_is_rendered_from_its_markdown(client: InProcess) -> None:
    page = client.get("/demo/bank/help/fees").text
    assert "<h1>Account fees</h1>" in page
    assert "<h2>Cash abroad</h2>" in page
    assert "Valid from 2026-01-01" in page


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("?lang=zh", {}, "zh"),
        ("?lang=zh-CN", {}, "zh"),
        ("", {"Accept-Language": "fr, zh-TW;q=0.9, en;q=0.8"}, "zh"),
        ("", {"Cookie": "parley_demo_lang=zh", "Accept-Language": "en"}, "zh"),
        ("?lang=en", {"Cookie": "parley_demo_lang=zh"}, "en"),
        ("?lang=xx", {}, "en"),
        ('?lang="><script>', {}, "en"),
        ("", {}, "en"),
    ],
)
def test_the_page_speaks_the_visitors_language(
    client: InProcess, query: str, headers: dict[str, str], language: str
) -> None:
    page = client.get(f"/demo/bank/help/card-lost{query}", headers=headers).text
    assert f'<html lang="{language}">' in page
    assert ("银行卡丢失或被盗" in page) == (language == "zh")


def test_the_chosen_language_is_kept_for_links_that_name_none(client: InProcess) -> None:
    assert "parley_demo_lang=zh" in client.get("/demo/bank?lang=zh").headers["set-cookie"]
    assert "set-cookie" not in client.get("/demo/bank?lang=xx").headers


def test_an_article_that_was_never_translated_is_shown_as_it_is(client: InProcess) -> None:
    page = client.get("/demo/bank/help/fees?lang=zh").text
    assert '<html lang="zh">' in page
    assert "<h1>Account fees</h1>" in page


@pytest.mark.parametrize("path", ["/demo/bank/help/none", "/demo/bank/nothing/here"])
def test_a_missing_page_is_a_page(client: InProcess, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "This page does not exist" in answer.text
    assert "content-security-policy" in answer.headers


def test_the_demos_front_door_may_be_written_with_a_slash(client: InProcess) -> None:
    assert client.get("/demo/").headers["location"] == "/demo/bank"


def test_an_unknown_tenant_has_no_demo(client: InProcess) -> None:
    assert client.get("/demo/nobody").status_code == 404


def test_the_demos_key_begins_conversations_from_the_demos_own_pages_only(client: InProcess) -> None:
    found = re.search(r'data-key="(pk_demo_[0-9a-f]{32})"', client.get("/demo/bank").text)
    assert found is not None
    own = {"X-Widget-Key": found[1], "Origin": "http://gateway.test"}
    assert client.post("/v1/conversations", json={"tenant": "bank"}, headers=own).status_code == 201
    assert (
        client.get("/v1/widget", params={"tenant": "bank"}, headers={"X-Widget-Key": found[1]}).status_code
        == 200
    )
    foreign = {**own, "Origin": "https://evil.example"}
    assert client.post("/v1/conversations", json={"tenant": "bank"}, headers=foreign).status_code == 403
    assert client.post("/v1/conversations", json={"tenant": "shop"}, headers=own).status_code == 403
    nowhere = {"X-Widget-Key": found[1]}
    assert client.post("/v1/conversations", json={"tenant": "bank"}, headers=nowhere).status_code == 403


@pytest.mark.parametrize(
    ("public_url", "origin", "status"),
    [
        ("https://help.example", "https://help.example", 201),
        ("https://help.example/", "https://help.example", 201),
        ("https://Help.example:443/chat/", "https://help.example", 201),
        ("http://help.example:8443", "http://help.example:8443", 201),
        ("https://help.example", "http://help.example", 403),
        ("https://help.example", "https://help.example.evil.example", 403),
    ],
)
def test_the_demos_pages_may_stand_behind_a_public_address(
    tmp_path: Path, public_url: str, origin: str, status: int
) -> None:
    with open_doors(tmp_path, public_url=public_url) as doors, InProcess(doors.app) as client:
        found = re.search(r"pk_demo_[0-9a-f]{32}", client.get("/demo/bank").text)
        assert found is not None
        headers = {"X-Widget-Key": found[0], "Origin": origin}
        answer = client.post("/v1/conversations", json={"tenant": "bank"}, headers=headers)
        assert answer.status_code == status
        if status == 201:
            visitor = Visitor(client, answer)
            assert visitor.write("hello", Origin=origin).status_code == 202
            assert visitor.write("hello again", "m-2", Origin="https://shop.example").status_code == 403


def test_each_tenants_demo_has_a_key_of_its_own(client: InProcess) -> None:
    keys = {
        re.findall(r"pk_demo_[0-9a-f]{32}", client.get(f"/demo/{tenant}").text)[0]
        for tenant in ("bank", "shop")
    }
    assert len(keys) == 2


def test_without_the_demo_there_is_only_the_widget(tmp_path: Path) -> None:
    with open_doors(tmp_path, demo=False) as doors, InProcess(doors.app) as client:
        assert client.get("/widget.js").status_code == 200
        assert client.get("/").status_code == 404
        assert client.get("/demo/bank").status_code == 404
        own = {"X-Widget-Key": "pk_test_widget", "Origin": "http://gateway.test"}
        assert client.post("/v1/conversations", json={"tenant": "bank"}, headers=own).status_code == 403


def test_nothing_of_a_tenant_becomes_markup() -> None:
    evil = "</title><script>alert(1)</script>"
    config = CONFIG.model_copy(
        update={"name": {"en": evil}, "assistant": CONFIG.assistant.model_copy(update={"name": {"en": evil}})}
    )
    article = Article(
        id="evil", title=evil, url="/x", language="en", valid_from=TODAY,
        text=f"{evil}\n\n[click](javascript:alert(1)) <img src=x onerror=alert(1)>",
    )  # fmt: skip
    site = Site(config, TenantContent(examples={}, articles=(article,)), '"><script>')
    for page in (site.home("en", TODAY), site.article("evil", "en"), site.missing("en")):
        assert page.html.count("<script") == 1  # the widget's own
        assert "<img" not in page.html
        assert 'href="javascript' not in page.html


def test_what_is_not_valid_today_is_not_among_the_topics() -> None:
    fees = CONTENT.articles[0]
    over = fees.model_copy(update={"id": "over", "valid_until": date(2026, 11, 22)})
    soon = fees.model_copy(update={"id": "soon", "valid_from": date(2026, 11, 24)})
    site = Site(CONFIG, TenantContent(examples={}, articles=(fees, over, soon)), "pk")
    page = site.home("en", TODAY).html
    assert "help/fees" in page
    assert "help/over" not in page
    assert "help/soon" not in page
    assert "2026-11-22" in site.article("over", "en").html


def test_long_beginnings_are_cut_at_a_word_and_lose_their_markup() -> None:
    text = "# Fees\n\nThe **Everyday** account, see [prices](/p), costs " + "very little " * 20
    article = CONTENT.articles[0].model_copy(update={"text": text})
    page = Site(CONFIG, TenantContent(examples={}, articles=(article,)), "pk").home("en", TODAY).html
    summary = re.findall(r"<span>(The .*?)</span>", page)[0]
    assert summary.startswith("The Everyday account, see prices, costs very little")
    assert len(summary) <= 111
    assert summary.endswith(("very…", "little…"))
