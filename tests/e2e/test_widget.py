"""The widget in a real browser against a gateway that misbehaves as told: cuts, erasures, gaps, two tabs, foreign CSS."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.e2e.scripted_gateway import (
    NOW,
    SETTINGS,
    Answer,
    Gateway,
    customer,
    cut_off,
    delta,
    hold,
    message_id,
    refuse,
    reply,
)

expect.set_options(timeout=20_000)

DESKTOP: ViewportSize = {"width": 1280, "height": 860}
PROBLEMS = ("Content Security Policy", "TypeError", "ReferenceError")
TIME = re.compile(r"^\d\d:\d\d$")
SENT = "() => Object.values(localStorage).every((kept) => !JSON.parse(kept).outbox?.length)"
FOCUSED = "() => document.activeElement.shadowRoot?.activeElement?.tagName ?? document.activeElement.tagName"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: Any) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=chromium.executable, args=list(chromium.arguments))
    yield started
    started.close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as scripted:
        yield scripted


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=DESKTOP, locale="en", timezone_id="UTC")
    made.set_default_timeout(20_000)
    made.clock.set_fixed_time(NOW)  # timers run on
    yield made
    made.close()


@pytest.fixture
def problems(context: BrowserContext) -> Iterator[list[str]]:
    """What pages complained of; a test ends with none that is the widget's fault."""
    found: list[str] = []
    context.on("weberror", lambda error: found.append(str(error.error)))
    context.on(
        "console",
        lambda said: found.append(said.text) if any(each in said.text for each in PROBLEMS) else None,
    )
    yield found
    assert found == []


@pytest.fixture
def visit(context: BrowserContext, gateway: Gateway, problems: list[str]) -> Callable[..., Page]:
    """Opens the site in a new tab, and the panel unless told not to."""

    def go(path: str = "/", *, opened: bool = True) -> Page:
        page = context.new_page()
        page.goto(gateway.site + path)
        launcher(page).wait_for()
        if opened:
            launcher(page).click()
        return page

    return go


Visit = Callable[..., Page]


def launcher(page: Page) -> Locator:
    return page.locator("button.launch")


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog")


def log(page: Page) -> Locator:
    return page.locator("[role=log]")


def mine(page: Page) -> Locator:
    return log(page).locator(".m.me")


def rows(page: Page) -> list[str]:
    """The texts of all bubbles and notes from the top down."""
    return log(page).locator(".b, .sys, .day").all_inner_texts()


def ask(page: Page, text: str) -> None:
    page.locator("textarea").fill(text)
    page.locator("textarea").press("Enter")


def settled(page: Page, count: int) -> None:
    """So many messages of the customer, each as the log has it: with its time."""
    expect(mine(page).locator(".meta")).to_have_text([TIME] * count)


def begun(gateway: Gateway, page: Page, text: str = "first") -> str:
    """A conversation with one message that was answered; returns the message's id."""
    ask(page, text)
    settled(page, 1)
    ident = message_id(gateway.posts[-1])
    gateway.say(reply("an answer", (ident,)))
    expect(log(page)).to_contain_text("an answer")
    return ident


def days_ago(days: int, time: str = "10:00:00") -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}T{time}.000Z"


# --- Sending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [cut_off, refuse(503, 1), refuse(500)], ids=["cut", "503", "500"])
def test_a_message_whose_answer_was_lost_is_sent_again_under_its_id(
    gateway: Gateway, visit: Visit, broken: Answer
) -> None:
    page = visit()
    gateway.answers = [broken]
    ask(page, "one")
    ask(page, "two")
    settled(page, 2)
    assert [post["text"] for post in gateway.posts] == ["one", "one", "two"]
    assert len({post["client_message_id"] for post in gateway.posts}) == 2


def test_a_masked_message_is_shown_once_as_the_log_has_it(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    answered = threading.Event()

    def masked(handler: Any, body: dict[str, Any]) -> None:
        hold(answered)(handler, {**body, "text": "my card is [card_1]"})

    gateway.answers = [masked]
    ask(page, "my card is 4111 1111 1111 1111")
    expect(mine(page)).to_contain_text("[card_1]")
    answered.set()
    ask(page, "next")
    expect(mine(page)).to_have_count(2)
    expect(log(page)).not_to_contain_text("4111")


def test_a_refused_message_says_so_and_lets_the_next_one_through(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    gateway.answers = [refuse(422)]
    ask(page, "one")
    expect(page.get_by_text("Not sent")).to_be_visible()
    ask(page, "two")
    expect(mine(page).last.locator(".meta")).to_have_text(TIME)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_lost_conversation_is_left_and_the_message_begins_a_new_one(
    gateway: Gateway, visit: Visit, status: int
) -> None:
    page = visit()
    begun(gateway, page)
    gateway.answers = [refuse(status)]
    ask(page, "second")
    settled(page, 1)
    assert rows(page) == ["Hello!", "second"]
    assert [(post["conversation"], post["text"]) for post in gateway.posts] == [
        ("c1", "first"), ("c1", "second"), ("c2", "second"),
    ]  # fmt: skip
    gateway.say(reply("welcome again", (message_id(gateway.posts[-1]),)), "c2")
    expect(log(page)).to_contain_text("welcome again")


def test_what_waits_stands_below_the_history_after_a_reload(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    begun(gateway, page)
    gateway.answers = [refuse(503, 60)] * 3
    ask(page, "waits")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    gateway.say(reply("came meanwhile"))
    page.reload()
    expect(log(page)).to_contain_text("came meanwhile")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    assert rows(page) == ["Hello!", "first", "an answer", "came meanwhile", "waits"]


def test_what_waits_is_sent_as_soon_as_the_stream_is_back(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    begun(gateway, page)
    gateway.away = 503
    gateway.answers = [refuse(503, 60)]
    gateway.cut()
    ask(page, "waits")
    expect(page.get_by_text("Waiting to be sent")).to_be_visible()
    expect(page.get_by_text("Connecting again…")).to_be_visible()
    gateway.away = 0
    expect(page.get_by_text("Waiting to be sent")).to_have_count(0)  # a minute before its own time
    expect(page.get_by_text("Connecting again…")).to_be_hidden()
    assert [post["text"] for post in gateway.posts] == ["first", "waits", "waits"]


# --- Two tabs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_two_tabs_that_begin_at_once_are_in_one_conversation(
    gateway: Gateway, context: BrowserContext, visit: Visit, locks: bool
) -> None:
    if not locks:
        context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
    one, other = visit(), visit()
    gateway.begin_go.clear()
    ask(one, "from one")
    ask(other, "from the other")
    expect(other.locator(".wait")).to_have_count(1)
    gateway.begin_go.set()
    for page in (one, other):
        settled(page, 2)
    assert len({post["conversation"] for post in gateway.posts}) == 1
    if locks:
        assert gateway.calls.count("POST /v1/conversations") == 1


def test_a_tab_that_was_there_before_follows_the_conversation_that_another_begins(
    gateway: Gateway, visit: Visit
) -> None:
    one, other = visit(), visit()
    begun(gateway, other)
    expect(log(one)).to_contain_text("an answer")
    gateway.answers = [refuse(410)]
    ask(one, "after the erasure")
    for page in (one, other):
        expect(log(page)).to_contain_text("after the erasure")
        expect(log(page)).not_to_contain_text("an answer")


# --- Receiving --------------------------------------------------------------------------------------------------------


def test_the_dots_end_with_the_reply_that_comes_before_the_202(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    answered = threading.Event()
    gateway.answers = [hold(answered)]
    ask(page, "slow")
    settled(page, 1)
    gateway.say(reply("quick", (message_id(gateway.posts[-1]),)))
    expect(log(page)).to_contain_text("quick")
    page.evaluate("() => { window.sent = new Promise((done) => Parley.on('sent', done)); }")
    answered.set()
    page.evaluate("() => window.sent")
    assert page.locator(".dots").count() == 0
    assert rows(page) == ["Hello!", "slow", "quick"]


def test_a_long_wait_is_told_until_the_answer_begins(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    ask(page, "one")
    settled(page, 1)
    late = log(page).get_by_text("The answer takes longer than usual")
    assert late.count() == 0
    expect(late).to_be_visible()
    gateway.say(delta(0, "It costs"))
    expect(late).to_have_count(0)
    gateway.say(reply("It costs 4", (message_id(gateway.posts[0]),)))
    expect(log(page)).to_contain_text("It costs 4")
    assert rows(page) == ["Hello!", "one", "It costs 4"]


def test_nothing_is_waited_for_in_a_conversation_that_was_left(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    ask(page, "one")
    settled(page, 1)
    gateway.away = 404
    gateway.cut()
    expect(mine(page)).to_have_count(0)
    page.wait_for_timeout(9_000)  # longer than until a long wait is told
    assert rows(page) == ["Hello!"]


def test_the_dots_stay_while_a_message_has_no_reply(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    ask(page, "one")
    ask(page, "two")
    settled(page, 2)
    first, second = (message_id(post) for post in gateway.posts)
    gateway.say(reply("to the first", (first,)))
    expect(log(page)).to_contain_text("to the first")
    expect(page.locator(".dots")).to_be_visible()
    gateway.cut()
    expect(page.locator(".dots")).to_be_visible()
    gateway.say({"type": "owner", "owner": "human", "name": "Ada"})
    expect(page.get_by_text("Ada is here for you now")).to_be_visible()
    expect(page.locator(".dots")).to_have_count(0)
    gateway.say({"type": "typing", "from": "human_agent", "on": True})
    expect(page.locator(".dots")).to_be_visible()
    gateway.say({"type": "typing", "from": "human_agent", "on": False})
    expect(page.locator(".dots")).to_have_count(0)
    assert second


def test_an_edit_takes_the_messages_place(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    begun(gateway, page)
    words = {"type": "message", "message_id": "a-1", "from": "human_agent", "name": "Ada", "at": NOW}
    gateway.say({**words, "text": "It costs **4**"})
    expect(log(page)).to_contain_text("It costs 4")
    before = len(rows(page))
    for text in ("It costs **5**", "It costs **6**"):
        gateway.say({**words, "text": text, "edited": True})
    expect(log(page)).to_contain_text("It costs 6")
    assert len(rows(page)) == before and rows(page)[-1] == "It costs 6"
    expect(log(page).get_by_text("edited")).to_have_count(1)


def test_deltas_are_shown_in_order_without_gaps_repeats_or_another_attempt(
    gateway: Gateway, visit: Visit
) -> None:
    page = visit()
    ident = begun(gateway, page)
    live = page.locator(".live")
    for frame in (delta(0, "One "), delta(1, "two"), delta(1, "two"), delta(1, "other", attempt="b")):
        gateway.say(frame)
    expect(live).to_have_text("One two")
    gateway.say(delta(3, "four"))  # a gap
    expect(live).to_be_empty()
    gateway.say(delta(2, "three"))
    gateway.say(reply("One two three four", (ident,), at="2026-11-24T09:00:02.000Z"))
    expect(log(page)).to_contain_text("One two three four")
    expect(live).to_be_empty()
    gateway.say(delta(0, "stale", epoch=0))
    gateway.say(delta(0, "new ", attempt="c", epoch=2))
    gateway.say(delta(1, "epoch", attempt="c", epoch=2))
    expect(live).to_have_text("new epoch")
    gateway.say(delta(2, " stale", attempt="a", epoch=1))
    gateway.say({"type": "retracted", "generation_id": "g", "epoch": 2})
    expect(live).to_be_empty()


def test_what_was_streamed_comes_again_after_a_cut_and_nothing_twice(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    begun(gateway, page)
    gateway.say(delta(0, "half "))
    expect(page.locator(".live")).to_have_text("half")
    with page.expect_response("**/events") as again:
        gateway.cut()
    assert again.value.request.headers["last-event-id"] == "2.1"
    expect(page.locator(".live")).to_be_empty()
    gateway.say(delta(0, "half "))
    gateway.say(delta(1, "and half"))
    expect(page.locator(".live")).to_have_text("half and half")
    assert rows(page) == ["Hello!", "first", "an answer"]


def test_days_are_told_apart_and_every_message_has_its_time(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    begun(gateway, page)
    page.wait_for_function(SENT)  # else the page sends "first" once more after it was loaded anew
    gateway.logs["c1"][:] = []
    gateway.say(customer("long ago", "2025-03-31T23:50:00.000Z", "m-1"))
    gateway.say(reply("the same day", at="2025-03-31T23:59:00.000Z"))
    gateway.say(reply("the day after", at="2025-04-01T00:01:00.000Z"))
    gateway.say(customer("today", days_ago(0), "m-2"))
    page.reload()
    today = f"{datetime.now(UTC):%A} {datetime.now(UTC).day} {datetime.now(UTC):%B}"
    expect(log(page)).to_contain_text("today")
    assert [text.replace(",", "") for text in rows(page)] == [
        "Hello!", "Monday 31 March 2025", "long ago", "the same day", "Tuesday 1 April 2025", "the day after", today, "today",
    ]  # fmt: skip
    times = [re.findall(r"\d\d:\d\d", meta)[0] for meta in log(page).locator(".meta").all_inner_texts()]
    assert times == ["23:50", "23:59", "00:01", "10:00"]
    page.evaluate("() => window.Parley.setLocale('zh')")
    gateway.say(reply("明天", at=days_ago(-1), language="zh"))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    expect(log(page).locator(".day").last).to_have_text(
        re.compile(rf"{tomorrow.month}月{tomorrow.day}日星期.")
    )


def test_prices_stay_in_one_piece_and_tables_scroll(gateway: Gateway, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(gateway.site)
    launcher(page).click()
    begun(gateway, page)
    head = "| Account | Monthly fee | Debit card | Cash withdrawals abroad |\n|---|---|---|---|\n"
    gateway.say(
        reply(head + "| Everyday | €1,234.50 | included \\| free | €12,345.67 or 1.75% of €2,000,000.00 |")
    )
    cells = page.locator("td")
    expect(cells).to_have_count(4)
    assert cells.nth(2).inner_text() == "included | free"
    lines = """cell => {
        const text = cell.firstChild, found = [];
        for (const match of text.data.matchAll(/\\S*\\d\\S*/g)) {
            const range = new Range();
            range.setStart(text, match.index);
            range.setEnd(text, match.index + match[0].length);
            found.push(new Set([...range.getClientRects()].map((rect) => rect.top)).size);
        }
        return found;
    }"""
    assert cells.nth(1).evaluate(lines) == [1]
    assert cells.nth(3).evaluate(lines) == [1, 1, 1]
    assert page.locator(".table").evaluate("box => box.scrollWidth > box.clientWidth")
    assert page.locator(".scroll").evaluate("box => box.scrollWidth <= box.clientWidth")
    context.close()


def test_what_comes_is_followed_as_it_grows(gateway: Gateway, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(gateway.site)
    launcher(page).click()
    words = "word " * 40
    for n in range(1, 5):
        ask(page, f"question {n}")
        settled(page, n)
        expect(page.locator(".dots")).to_be_visible()
        for index in range(4):
            gateway.say(delta(index, words, attempt=f"a{n}"))
        expect(page.locator(".live")).to_have_text(re.compile(r"(word ?){160}"))
        ident = message_id(gateway.posts[-1])
        gateway.say(reply(f"{words} end {n}", (ident,), f"2026-11-24T09:00:0{n}.000Z"))
        expect(page.get_by_text(f"end {n}")).to_be_in_viewport()
        expect(page.locator(".new")).to_be_hidden()
    page.locator(".rate").first.dispatch_event("click")  # its thanks are a line more, above what is seen
    expect(page.get_by_text("Thanks for telling us.")).to_have_count(1)
    gateway.say(reply("by itself"))
    expect(page.get_by_text("by itself")).to_be_in_viewport()
    expect(page.locator(".new")).to_be_hidden()
    context.close()


def test_a_long_reply_is_shown_from_its_beginning_and_reading_is_not_disturbed(
    gateway: Gateway, visit: Visit
) -> None:
    page = visit()
    begun(gateway, page)
    gateway.say(reply("\n\n".join(f"Paragraph {n}." for n in range(60))))
    expect(page.get_by_text("Paragraph 0.")).to_be_in_viewport()
    fading = page.locator(".scroll.more")
    expect(fading).to_be_visible()
    page.locator(".scroll").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(fading).to_have_count(0)
    page.locator(".scroll").evaluate("box => box.scrollTo(0, 0)")
    gateway.say(reply("the last word"))
    fresh = page.get_by_role("button", name="New messages")
    expect(fresh).to_be_visible()
    assert page.locator(".scroll").evaluate("box => box.scrollTop") == 0
    fresh.click()
    expect(page.get_by_text("the last word")).to_be_in_viewport()
    expect(fresh).to_be_hidden()
    expect(fading).to_have_count(0)


# --- From page to page ------------------------------------------------------------------------------------------------


def test_only_what_nobody_has_seen_is_unread(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    begun(gateway, page)
    launcher(page).click()
    page.reload()
    expect(mine(page)).to_have_count(1)
    badge = page.locator(".badge")
    expect(badge).to_be_hidden()
    gateway.say(reply("while closed"))
    expect(badge).to_have_text("1")
    expect(launcher(page)).to_have_attribute("aria-label", "Open chat (1 unread)")
    page.goto(f"{gateway.site}/second")
    gateway.say(reply("on the next page"))
    expect(badge).to_have_text("2")
    other = visit("/third", opened=False)
    expect(other.locator(".badge")).to_have_text("2")
    launcher(page).click()
    expect(badge).to_be_hidden()
    expect(other.locator(".badge")).to_be_hidden()  # read here, read everywhere
    launcher(page).click()
    page.reload()
    expect(mine(page)).to_have_count(1)
    expect(badge).to_be_hidden()


def test_the_panel_stays_open_on_the_next_page_without_taking_the_focus(
    gateway: Gateway, visit: Visit
) -> None:
    page = visit()
    begun(gateway, page)
    page.locator("#next").click()
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    expect(panel(page)).to_be_visible()
    expect(log(page)).to_contain_text("an answer")
    assert page.evaluate(FOCUSED) == "BODY"
    page.get_by_role("button", name="Close chat").first.click()
    page.goto(f"{gateway.site}/third")
    launcher(page).wait_for()
    expect(panel(page)).to_be_hidden()


def test_a_site_may_open_the_panel_but_not_again_once_it_was_closed(gateway: Gateway, visit: Visit) -> None:
    gateway.attributes = "data-open"
    page = visit(opened=False)
    expect(panel(page)).to_be_visible()
    launcher(page).click()
    page.reload()
    launcher(page).wait_for()
    expect(panel(page)).to_be_hidden()


def test_without_storage_the_chat_works_on_its_page(
    gateway: Gateway, context: BrowserContext, visit: Visit
) -> None:
    context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage']) "
        "Object.defineProperty(window, name, {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    page = visit()
    begun(gateway, page)
    ask(page, "again")
    expect(mine(page)).to_have_count(2)
    assert [post["conversation"] for post in gateway.posts] == ["c1", "c1"]


# --- Languages --------------------------------------------------------------------------------------------------------


def test_a_language_that_is_set_at_once_outlasts_the_settings(gateway: Gateway, visit: Visit) -> None:
    gateway.settings_go.clear()
    page = visit()
    page.evaluate("() => window.Parley.setLocale('zh-CN')")
    expect(page.locator("textarea")).to_have_attribute("placeholder", "请输入消息…")
    gateway.settings_go.set()
    expect(panel(page).get_by_role("heading")).to_have_text("安德小助手")
    expect(page.locator(".chips")).to_have_text("多少钱？")
    page.evaluate("() => window.Parley.setLocale('xx')")
    expect(panel(page).get_by_role("heading")).to_have_text("安德小助手")


@pytest.mark.parametrize("attribute", ["zh", "zh-CN", "ZH_hans"])
def test_the_site_names_the_language(gateway: Gateway, visit: Visit, attribute: str) -> None:
    gateway.attributes = f'data-locale="{attribute}"'
    page = visit()
    expect(panel(page).get_by_role("heading")).to_have_text("安德小助手")


def test_else_the_page_decides_and_a_language_that_the_tenant_lacks_is_not_spoken(
    gateway: Gateway, visit: Visit
) -> None:
    gateway.lang = "zh-Hans"
    expect(visit().get_by_role("dialog").get_by_role("heading")).to_have_text("安德小助手")
    gateway.settings = {**SETTINGS, "languages": ["en"]}
    expect(visit().get_by_role("dialog").get_by_role("heading")).to_have_text("Alder Assistant")


def test_another_language_in_mid_conversation_brings_no_suggestions_back(
    gateway: Gateway, visit: Visit
) -> None:
    page = visit()
    expect(page.locator(".chips button")).to_have_count(2)
    begun(gateway, page)
    expect(page.locator(".chips")).to_be_hidden()
    page.evaluate("() => window.Parley.setLocale('zh')")
    expect(panel(page).get_by_role("heading")).to_have_text("安德小助手")
    expect(page.locator(".chips")).to_be_hidden()
    expect(log(page).locator(".who")).to_have_text("安德小助手")


def test_after_a_reload_the_history_has_the_assistants_name_even_when_the_settings_come_later(
    gateway: Gateway, visit: Visit
) -> None:
    page = visit()
    begun(gateway, page)
    gateway.settings_go.clear()
    page.reload()
    expect(log(page)).to_contain_text("an answer")
    expect(log(page).locator(".who")).to_have_text("Assistant")
    gateway.settings_go.set()
    expect(log(page).locator(".who")).to_have_text("Alder Assistant")
    expect(page.locator(".chips")).to_be_hidden()


# --- On the site's page -----------------------------------------------------------------------------------------------


def test_the_pages_style_sheet_does_not_reach_in(gateway: Gateway, visit: Visit) -> None:
    computed = """() => {
        const root = document.querySelector("[data-parley]").shadowRoot;
        return [...root.querySelectorAll("*")].map((node) =>
            Object.fromEntries([...getComputedStyle(node)].map((name) => [name, getComputedStyle(node)[name]])));
    }"""
    plain = visit()
    plain.emulate_media(reduced_motion="reduce")
    expect(plain.locator(".chips button")).to_have_count(2)
    before = plain.evaluate(computed)
    gateway.css = """
        html{font-size:40px;direction:rtl}
        *{font:italic 900 30px/3 serif!important;letter-spacing:9px;color:red;text-transform:uppercase;visibility:hidden;cursor:wait;
          --a:red;--bg:red;--ink:red;text-align:right;word-spacing:9px;user-select:none;pointer-events:none}
        div{opacity:.6!important;filter:blur(2px);transform:rotate(3deg);display:none;position:relative;z-index:-1;margin:99px}"""
    page = visit(opened=False)
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("() => window.Parley.open()")
    expect(page.locator(".chips button")).to_have_count(2)
    after = page.evaluate(computed)
    assert len(after) == len(before) > 20
    for one, other in zip(before, after, strict=True):
        assert one == other
    host = page.locator("[data-parley]")
    assert host.evaluate("host => [getComputedStyle(host).opacity, getComputedStyle(host).filter]") == [
        "1",
        "none",
    ]


def test_the_launcher_shows_what_it_does(gateway: Gateway, visit: Visit) -> None:
    page = visit(opened=False)
    icons = launcher(page).locator("svg")
    for name, expanded, shown in (("Open chat", "false", 0), ("Close chat", "true", 1)):
        expect(launcher(page)).to_have_attribute("aria-label", name)
        expect(launcher(page)).to_have_attribute("aria-expanded", expanded)
        expect(icons.nth(shown)).to_be_visible()
        expect(icons.nth(1 - shown)).to_be_hidden()
        launcher(page).click()


def test_a_suggestion_leaves_the_focus_in_the_input(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="I lost my card").press("Enter")
    expect(mine(page)).to_have_text(re.compile("I lost my card"))
    expect(page.locator("textarea")).to_be_focused()


def test_on_a_touch_screen_no_keyboard_comes_up_unasked(gateway: Gateway, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(gateway.site)
    launcher(page).tap()
    expect(page.locator(".scroll")).to_be_focused()
    page.get_by_role("button", name="I lost my card").tap()
    expect(page.locator(".scroll")).to_be_focused()
    context.close()


def test_escape_ends_a_composition_before_it_closes_the_panel(gateway: Gateway, visit: Visit) -> None:
    page = visit()
    press = "(box, how) => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true, composed: true, ...how}))"
    page.locator("textarea").evaluate(press, {"isComposing": True})
    page.locator("textarea").evaluate(press, {"keyCode": 229})
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(launcher(page)).to_be_focused()


@pytest.mark.parametrize(
    ("width", "height", "log_height"), [(667, 375, 220), (320, 568, 350), (390, 844, 600)]
)
def test_a_small_screen_is_filled_in_both_directions(
    gateway: Gateway, browser: Browser, width: int, height: int, log_height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(gateway.site)
    launcher(page).click()
    box, inner = panel(page).bounding_box(), page.locator(".scroll").bounding_box()
    assert box is not None and inner is not None
    assert (box["width"], box["height"]) == (width, height)
    assert inner["height"] >= log_height
    expect(page.locator("textarea")).to_be_in_viewport(ratio=1)
    expect(launcher(page)).to_be_hidden()
    context.close()


def test_text_may_be_twice_as_large(
    gateway: Gateway, playwright: Playwright, chromium: Any, tmp_path: Path, output_dir: Path
) -> None:
    (tmp_path / "Default").mkdir()
    preferences = {"webkit": {"webprefs": {"default_font_size": 32}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(preferences))
    context = playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=chromium.executable, args=list(chromium.arguments), viewport=DESKTOP
    )
    page = context.new_page()
    page.goto(gateway.site)
    launcher(page).click()
    begun(gateway, page)
    page.screenshot(path=output_dir / "widget-text-200.png")
    assert page.locator(".b").first.evaluate("node => getComputedStyle(node).fontSize") == "30px"
    inside = "node => node.scrollWidth <= node.clientWidth"
    for part in (".panel", ".head", ".scroll", ".form", ".foot"):
        assert page.locator(part).first.evaluate(inside), part
    for shown in (
        page.locator("textarea"),
        log(page).get_by_text("an answer"),
        page.get_by_role("button", name="Send"),
    ):
        expect(shown).to_be_in_viewport(ratio=1)
    context.close()


def test_nothing_moves_for_those_who_want_it_still(gateway: Gateway, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(gateway.site)
    launcher(page).click()
    ask(page, "one")
    expect(page.locator(".dots")).to_be_visible()
    assert page.evaluate("() => document.getAnimations().length") == 0
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_focus_is_seen_on_every_control(gateway: Gateway, visit: Visit, theme: str) -> None:
    """At least three to one between the ring and what it lies on (WCAG 2.2, 1.4.11 and 2.4.13)."""
    gateway.attributes = f'data-theme="{theme}"'
    page = visit()
    expect(page.locator(".chips button")).to_have_count(2)
    ring = """() => {
        const node = document.activeElement.shadowRoot.activeElement, style = getComputedStyle(node);
        const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
        const light = (text) => {
            const [r, g, b] = rgb(text).map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        let under = parseFloat(style.outlineOffset) < -3 ? node : node.parentNode;
        while (rgb(getComputedStyle(under).backgroundColor)[3] === 0) under = under.parentNode;
        const [low, high] = [light(style.outlineColor), light(getComputedStyle(under).backgroundColor)].sort((a, b) => a - b);
        return {name: node.ariaLabel || node.textContent, width: parseFloat(style.outlineWidth), style: style.outlineStyle, contrast: (high + 0.05) / (low + 0.05)};
    }"""
    page.locator("textarea").fill("so that Send is enabled")
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    names = []
    for _ in range(7):
        seen = page.evaluate(ring)
        assert seen["style"] == "solid" and seen["width"] >= 2 and seen["contrast"] >= 3, seen
        names.append(seen["name"])
        page.keyboard.press("Tab")
    assert names == [
        "Close chat",
        "Conversation",
        "What does it cost?",
        "I lost my card",
        "Your message",
        "Send",
        "Close chat",
    ]


def test_the_site_can_use_it(gateway: Gateway, visit: Visit) -> None:
    page = visit(opened=False)
    page.evaluate("""() => {
        window.seen = [];
        for (const name of ["open", "close", "sent", "reply"]) Parley.on(name, (data) => seen.push([name, data.text ?? ""]));
        Parley.on("reply", () => { throw new Error("a mistake of the site's"); });
        Parley.open();
        Parley.setTheme("dark");
        Parley.send("  from the site ");
        Parley.send("   ");
    }""")
    page.wait_for_function("() => seen.length === 2")  # `sent` comes with the 202, the log may be quicker
    gateway.say(reply("one"))
    gateway.say(reply("two"))
    expect(log(page)).to_contain_text("two")
    page.evaluate("() => Parley.toggle()")
    expect(panel(page)).to_be_hidden()
    assert page.evaluate("() => seen") == [
        ["open", ""], ["sent", "from the site"], ["reply", "one"], ["reply", "two"], ["close", ""],
    ]  # fmt: skip
    assert gateway.calls.count("GET /v1/conversations/c1/events") == 1
    assert page.locator(".w").get_attribute("data-theme") == "dark"
    page.evaluate("() => Parley.destroy()")
    expect(launcher(page)).to_have_count(0)
    assert page.evaluate("() => window.Parley") is None


def test_calls_before_the_widget_is_there_are_kept(
    gateway: Gateway, context: BrowserContext, visit: Visit
) -> None:
    context.add_init_script("""
        const wait = setInterval(() => {
            if (!window.Parley) return;
            clearInterval(wait);
            Parley.setLocale("zh");
            Parley.open();
        }, 0);
    """)
    page = visit(opened=False)
    expect(panel(page).get_by_role("heading")).to_have_text("安德小助手")
