"""A customer in a real browser, against both forms of the platform: ask, stream, cite, rate, reconnect, type Chinese."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from infra.dev.ground import free_ports
from tests.support.processes import ParleyProcess, wait_ready

expect.set_options(timeout=20_000)

SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`parley run` in a process of its own, on an empty folder."""
    folder = tmp_path_factory.mktemp("embedded")
    [port] = free_ports(1)
    environment = {
        "PARLEY_HOME": str(folder / "home"),
        "PARLEY_PORT": str(port),
        "PARLEY_MESSAGES_PER_MINUTE": "1000",
    }
    process = ParleyProcess("run", ["run"], environment, folder)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        wait_ready(url, process)
        first_answer(url)
        yield url
    finally:
        status = process.stop()
    assert status == 0, process.output()


def first_answer(url: str) -> None:
    """On an empty folder the first answer waits until the index and the intent models are made, which is no browser's matter."""
    with httpx.Client(base_url=url, headers={"Origin": url}) as client:
        found = re.search(r"pk_demo_\w+", client.get("/demo/bank").text)
        assert found is not None
        begun = client.post(
            "/v1/conversations", json={"tenant": "bank"}, headers={"X-Widget-Key": found[0]}
        ).json()
        own = {"Authorization": f"Bearer {begun['token']}"}
        path = f"/v1/conversations/{begun['conversation_id']}"
        message = {"client_message_id": "m-1", "text": "What does the account cost?"}
        assert client.post(f"{path}/messages", json=message, headers=own).status_code == 202
        with client.stream("GET", f"{path}/events", headers=own, timeout=120) as events:
            assert any(line == "event: reply" for line in events.iter_lines())


@pytest.fixture(scope="module")
def distributed(new_stack: Any) -> str:
    """Kafka, PostgreSQL, gateway and every worker a process."""
    url: str = new_stack(extra={"PARLEY_MESSAGES_PER_MINUTE": "1000"}).url
    first_answer(url)
    return url


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def site(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium.executable, args=list(chromium.arguments)
        )
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en")
    made.set_default_timeout(20_000)
    yield made
    made.close()


def visit(context: BrowserContext, site: str, language: str = "en", tenant: str = "bank") -> Page:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None,
    )
    page.goto(f"{site}/demo/{tenant}?lang={language}")
    page.locator("button.launch").click()
    assert problems == []
    return page


def ask(page: Page, text: str) -> None:
    page.locator("textarea").fill(text)
    page.locator("textarea").press("Enter")


def log(page: Page) -> Any:
    return page.get_by_role("log")


def test_a_question_is_answered_with_its_source_and_rated(
    site: str, context: BrowserContext, output_dir: Path
) -> None:
    page = visit(context, site)
    ask(page, "What does cash abroad cost in another currency?")
    source = page.locator(".src a").first
    expect(source).to_have_attribute("href", f"{site}/demo/bank/help/foreign-currency-fees")
    expect(log(page)).to_contain_text("2% of the amount")
    up = page.get_by_role("button", name="Helpful", exact=True)
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("Thanks for telling us.")).to_be_visible()
    page.screenshot(path=output_dir / f"answer-en-{site.rsplit(':')[-1]}.png")
    with context.expect_page() as opened:
        source.click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Foreign-currency fees")


def test_chinese_is_answered_in_chinese(site: str, context: BrowserContext, output_dir: Path) -> None:
    page = visit(context, site, "zh")
    ask(page, "我的卡丢了怎么办")
    expect(log(page)).to_contain_text("0800 555 0199")
    expect(page.locator(".src a").first).to_contain_text("银行卡")
    expect(page.get_by_role("dialog")).to_have_attribute("aria-label", "在线客服: 安德小助手")
    page.screenshot(path=output_dir / f"answer-zh-{site.rsplit(':')[-1]}.png")


def test_an_example_call_plays_with_live_help(site: str, context: BrowserContext, output_dir: Path) -> None:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(f"{site}/demo/bank?lang=en")
    page.get_by_role("link", name="See how it helps an agent on a call").click()
    page.get_by_role("combobox", name="Call").select_option("foreign-fee")
    page.get_by_label("10×").check()
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".live .turn.partial")).to_be_visible()
    expect(page.locator(".sources a").first).to_have_attribute(
        "href", re.compile(r"/demo/bank/help/[a-z-]+$")
    )
    expect(log(page).locator(".badge.risk").first).to_be_visible()
    page.screenshot(path=output_dir / f"call-{site.rsplit(':')[-1]}.png")
    expect(log(page)).to_contain_text("Transferred to Sinead Walsh")
    expect(log(page)).to_contain_text("The call has ended")
    expect(log(page).locator(".said")).to_have_count(26)
    assert log(page).get_by_role("button", name="Help").count() >= 3
    results = page.get_by_role("tabpanel", name="Results")
    expect(results.locator(".summary")).to_contain_text("I want to make a complaint about all this")
    expect(results.locator(".due").first).to_contain_text("by")
    expect(results.locator(".checks .failed")).to_contain_text(["Said that the call is recorded"])
    assert problems == []


def test_the_second_tenant_answers_from_its_own_articles(site: str, context: BrowserContext) -> None:
    page = visit(context, site, tenant="mobile")
    ask(page, "How much is the unlimited data plan?")
    expect(log(page)).to_contain_text("€24.90")


def test_a_human_is_asked_for_and_honestly_not_there(site: str, context: BrowserContext) -> None:
    page = visit(context, site)
    ask(page, "xylophone zebra quartz vortex")
    page.get_by_role("button", name="Talk to a person").first.click()
    expect(log(page)).to_contain_text("0800 555 0140")
    ask(page, "What does the account cost?")
    expect(log(page)).to_contain_text("€4.50")


def test_the_conversation_is_kept_across_pages_and_tabs(site: str, context: BrowserContext) -> None:
    page = visit(context, site)
    ask(page, "how much cash can I withdraw a day")
    expect(log(page)).to_contain_text("€600")
    page.goto(f"{site}/demo/bank/help/account-fees")
    expect(log(page)).to_contain_text("how much cash can I withdraw a day")
    expect(log(page)).to_contain_text("€600")
    other = visit(context, site)
    expect(log(other)).to_contain_text("€600")
    ask(other, "when are you open on Saturday")
    expect(log(page)).to_contain_text("10:00 to 13:00")
    expect(log(page).locator(".m.me")).to_have_count(2)


def test_a_cut_connection_resumes_without_a_gap_or_a_repeat(site: str, context: BrowserContext) -> None:
    page = visit(context, site)
    ask(page, "hello")
    expect(log(page)).to_contain_text("Alder Assistant")
    context.set_offline(True)
    ask(page, "What does the account cost?")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    context.set_offline(False)
    expect(log(page)).to_contain_text("€4.50")
    expect(log(page).locator(".m.me")).to_have_count(2)
    expect(page.get_by_text("Waiting to be sent")).to_have_count(0)


def test_a_gateway_that_is_away_is_said_so_and_the_message_is_sent_later(
    site: str, context: BrowserContext
) -> None:
    page = visit(context, site)
    refusals: list[str] = []

    def refuse_twice(route: Route) -> None:
        if len(refusals) < 2:
            refusals.append(route.request.url)
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"title": "later", "status": 503})
        else:
            route.continue_()

    page.route("**/v1/conversations/*/messages", refuse_twice)
    ask(page, "how much cash can I withdraw a day")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    expect(log(page)).to_contain_text("€600")
    assert len(refusals) == 2
    expect(log(page).locator(".m.me")).to_have_count(1)


def test_enter_during_a_composition_does_not_send(site: str, context: BrowserContext) -> None:
    page = visit(context, site, "zh")
    box = page.locator("textarea")
    box.focus()
    session = context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "zhuan zhang", "selectionStart": 11, "selectionEnd": 11})
    composing = {"type": "keyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    session.send("Input.dispatchKeyEvent", composing)
    box.evaluate(
        "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, composed: true}))"
    )
    expect(log(page).locator(".m.me")).to_have_count(0)
    session.send("Input.insertText", {"text": "转账多久到账"})
    box.press("Enter")
    expect(log(page).locator(".m.me")).to_have_count(1)
    expect(log(page)).to_contain_text("SEPA")


def test_the_keyboard_is_enough(site: str, context: BrowserContext) -> None:
    page = visit(context, site)
    expect(page.locator("textarea")).to_be_focused()
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    expect(log(page).locator(".m.me")).to_have_count(0)
    expect(page.locator("textarea")).to_have_value("first line\nsecond line")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("button.launch")).to_be_focused()


def test_the_language_changes_at_run_time(site: str, context: BrowserContext) -> None:
    page = visit(context, site)
    page.evaluate("() => window.Parley.setLocale('zh')")
    expect(page.locator("textarea")).to_have_attribute("placeholder", "请输入消息…")
    page.evaluate("() => window.Parley.setLocale('en')")
    expect(page.locator("textarea")).to_have_attribute("placeholder", "Write a message…")


def test_the_demo_lists_its_articles_by_topic(site: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(f"{site}/demo/bank?lang=en")
    cards = page.get_by_role("region", name="Cards", exact=True)
    expect(cards.get_by_role("link")).to_have_count(3)
    cards.locator("summary").click()
    expect(cards.get_by_role("link", name="Lost or stolen card")).to_be_visible()
    page.get_by_role("link", name="Savings", exact=True).click()
    expect(page.get_by_role("heading", name="Savings", exact=True)).to_be_in_viewport()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
    header = page.locator("header.top").bounding_box()
    context.close()
    assert header is not None and header["height"] < 80


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_serious(
    site: str, browser: Browser, language: str, scheme: Any, output_dir: Path
) -> None:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": 1280, "height": 860}, bypass_csp=True
    )
    context.set_default_timeout(20_000)
    page = visit(context, site, language)
    ask(page, "What does cash abroad cost?" if language == "en" else "境外取现收多少钱")
    expect(page.locator(".src a").first).to_be_visible()
    found = Axe().run(page).response["violations"]
    page.screenshot(path=output_dir / f"chat-{language}-{scheme}.png")
    context.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS] == []


def test_a_phone_shows_the_chat_over_the_whole_page(site: str, browser: Browser, output_dir: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = visit(context, site)
    box = page.get_by_role("dialog").bounding_box()
    page.screenshot(path=output_dir / "chat-phone.png")
    context.close()
    assert box is not None and (box["width"], round(box["height"])) == (390, 800)


def test_the_widget_is_small() -> None:
    folder = Path(__file__).resolve().parents[2] / "connectors" / "web" / "widget"
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in folder.glob("*.js")) < 15_500
