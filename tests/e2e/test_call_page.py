"""The call page in a real browser: what is spoken, the help for it and the results, from a stream that a test writes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.e2e.scripted_call import (
    ScriptedCalls,
    agent,
    analysis,
    message,
    reading,
    scripted_calls,
    segment,
    suggestion,
)

expect.set_options(timeout=20_000)

SERIOUS = {"serious", "critical"}
HTML = "<img src=x onerror=alert(1)><b>bold</b>"


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium.executable, args=list(chromium.arguments)
        )
        yield started
        started.close()


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[ScriptedCalls]:
    with scripted_calls(tmp_path) as scripted:
        yield scripted


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def problems(context: BrowserContext) -> Iterator[list[str]]:
    """Whatever the page complained of: errors of its scripts, refusals of its policy, failed requests. A test takes out what it expects."""
    found: list[str] = []
    context.on("weberror", lambda error: found.append(str(error.error)))
    context.on(
        "console",
        lambda said: found.append(said.text) if said.type in ("error", "warning") else None,
    )
    yield found
    assert found == []


@pytest.fixture
def visit(context: BrowserContext, calls: ScriptedCalls, problems: list[str]) -> Callable[..., Page]:
    """Opens the page, and starts the first example unless told not to."""

    def go(language: str = "en", *, started: bool = True) -> Page:
        page = context.new_page()
        page.goto(f"{calls.url}/demo/bank/call?lang={language}")
        if started:
            begin(page, page.locator(".play").click)
        return page

    return go


Visit = Callable[..., Page]


def begin(page: Page, act: Callable[[], object]) -> None:
    """Does it, and waits until the stream of the call that it began is open."""
    with page.expect_response("**/v1/calls/*/events"):
        act()


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def live(page: Page) -> Locator:
    return page.locator(".live .turn")


def turns(page: Page) -> Locator:
    return log(page).locator(".said")


def help_panel(page: Page) -> Locator:
    return page.get_by_role("tabpanel", name="Live help")


# --- What is asked for ------------------------------------------------------------------------------------------------


def test_the_home_page_leads_to_it(context: BrowserContext, calls: ScriptedCalls) -> None:
    page = context.new_page()
    page.goto(f"{calls.url}/demo/bank?lang=en")
    page.get_by_role("link", name="See how it helps an agent on a call").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A call, with help for the agent")
    expect(page.locator("button.launch")).to_have_count(0)


def test_the_chosen_example_is_asked_for_at_the_chosen_speed(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit(started=False)
    assert page.locator("option").all_inner_texts()[:2] == [
        "Wallet stolen on a journey",
        "A fee abroad and a complaint",
    ]
    page.get_by_role("combobox", name="Call").select_option("mortgage")
    page.get_by_label("10×").check()
    begin(page, page.get_by_role("button", name="Play").click)
    assert calls.asked == [{"tenant": "bank", "example": "mortgage", "speed": "10x"}]
    expect(log(page)).to_have_attribute("lang", "zh")
    expect(page.get_by_role("button", name="Play")).to_be_disabled()


def test_the_keyboard_alone_will_do(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit(started=False)
    page.get_by_role("combobox", name="Call").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    begin(page, lambda: page.keyboard.press("Enter"))
    assert calls.asked == [{"tenant": "bank", "example": "foreign-fee", "speed": "at-once"}]


def test_a_call_that_cannot_be_started_says_why(
    visit: Visit, calls: ScriptedCalls, problems: list[str]
) -> None:
    page = visit(started=False)
    calls.refusal = (429, {"detail": "three calls are running already", "status": 429})
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("status")).to_have_text(
        "The call could not be started. Too many calls are playing at once: try again in a few seconds."
    )
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    [refused] = problems
    assert "429" in refused
    problems.clear()


def test_a_server_that_is_away_is_told_in_the_pages_own_language(
    visit: Visit, context: BrowserContext, problems: list[str]
) -> None:
    page = visit("zh", started=False)
    context.set_offline(True)
    page.get_by_role("button", name="播放").click()
    expect(page.get_by_role("status")).to_have_text("通话未能开始。 无法连接服务器，请检查网络后重试。")
    expect(page.get_by_role("button", name="播放")).to_be_enabled()
    problems.clear()


# --- The transcript ---------------------------------------------------------------------------------------------------


def test_partials_replace_each_other_and_the_message_replaces_them(
    visit: Visit, calls: ScriptedCalls
) -> None:
    page = visit()
    calls.say(segment("m1", "I lost"))
    expect(live(page)).to_have_text(["Customer0:01I lost"])
    expect(live(page)).to_have_class("turn customer partial")
    calls.say(segment("m1", "I lost my"))
    expect(live(page)).to_have_text(["Customer0:01I lost my"])
    assert turns(page).count() == 0  # nothing unfinished is announced
    calls.say(segment("m1", "I lost my card.", final=True))
    expect(live(page)).to_have_class("turn customer")
    calls.say(message("m1", "I lost my card."))
    expect(turns(page)).to_have_text(["I lost my card."])
    expect(live(page)).to_have_count(0)
    calls.say(segment("m1", "I lost my card"))  # late
    calls.say(agent("m2", "Let's block it.", 4_000))
    expect(turns(page)).to_have_text(["I lost my card.", "Let's block it."])
    expect(live(page)).to_have_count(0)


def test_what_becomes_no_message_leaves_nothing_behind(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(segment("m1", "um"))
    expect(live(page)).to_have_count(1)
    calls.say(segment("m1", "", final=True))  # mere noise
    expect(live(page)).to_have_count(0)
    calls.say(segment("m2", "I lo"))
    calls.say({**segment("m3", "I lost"), "start_ms": 5_000})  # what began before it is never finished
    expect(live(page)).to_have_text(["Customer0:05I lost"])


def test_turns_stand_in_the_order_in_which_they_began(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "first", 1_000))
    calls.say(agent("m3", "third", 6_000))
    calls.say(message("m2", "second", 5_000))
    expect(turns(page)).to_have_text(["first", "second", "third"])


def test_what_happens_besides_talk_stands_in_thin_lines(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    for frame in (
        {"type": "owner", "owner": "human", "name": "Liam Carey"},
        agent("m1", "One moment.", 1_000, "Liam Carey"),
        {"type": "state", "kind": "hold", "at_ms": 10_000, "by": None},
        {"type": "state", "kind": "muted", "at_ms": 12_000, "by": None},
        {"type": "state", "kind": "resumed", "at_ms": 25_000, "by": None},
        {"type": "owner", "owner": "human", "name": "Sinead Walsh"},
        agent("m2", "Hello.", 30_000, "Sinead Walsh"),
        {"type": "closed", "by": "customer"},
    ):
        calls.say(frame)
    expect(log(page).locator(".line")).to_have_text(
        ["On hold", "Muted", "Back from hold · 0:15", "Transferred to Sinead Walsh", "The call has ended"]
    )
    expect(log(page).locator(".name")).to_have_text(["Liam Carey", "Sinead Walsh"])


def test_a_transfer_stands_where_it_was_in_a_call_after_another_too(
    visit: Visit, calls: ScriptedCalls
) -> None:
    page = visit()
    calls.say(message("m1", "late in the first call", 90_000))
    expect(turns(page)).to_have_count(1)
    begin(page, page.get_by_role("button", name="Restart").click)
    for frame in (
        {"type": "owner", "owner": "human", "name": "Liam Carey"},
        message("m1", "early", 1_000),
        {"type": "owner", "owner": "human", "name": "Sinead Walsh"},
        message("m2", "later", 60_000),
    ):
        calls.say(frame)
    expect(log(page).locator(".said, .line")).to_have_text(["early", "Transferred to Sinead Walsh", "later"])


def test_what_was_heard_is_shown_when_asked_for(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "I lost my card", original="Um, I I lost my [noise] card"))
    expect(turns(page)).to_have_text(["I lost my card"])
    page.get_by_label("As heard").check()
    expect(turns(page)).to_have_text(["Um, I I lost my [noise] card"])
    calls.say(message("m2", "my own", 5_000, original="my my own"))
    expect(turns(page).last).to_have_text("my my own")
    page.get_by_label("As heard").uncheck()
    expect(turns(page)).to_have_text(["I lost my card", "my own"])


def test_whoever_reads_further_up_is_left_there(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    for number in range(30):
        calls.say(message(f"m{number}", f"turn {number}", number * 1_000))
    expect(turns(page).last).to_be_in_viewport()
    page.locator(".talk .scroll").hover()
    page.mouse.wheel(0, -5_000)
    expect(turns(page).first).to_be_in_viewport()
    calls.say(message("m30", "turn 30", 31_000))
    expect(turns(page)).to_have_count(31)
    expect(turns(page).first).to_be_in_viewport()


# --- The help ---------------------------------------------------------------------------------------------------------


def test_a_suggestion_is_shown_with_its_sources_as_links(
    visit: Visit, calls: ScriptedCalls, context: BrowserContext
) -> None:
    page = visit()
    calls.say(message("m1", "What does a new card cost?"))
    calls.say(reading("m1", entities=[{"kind": "amount", "text": "84 euros", "value": "EUR 84.00"}]))
    answer = "A new card costs **€8**.\n\n| Case | Price |\n|---|---|\n| lost | €8 |"
    calls.say(suggestion("m1", answer, "card-lost", next_articles=("fees",)))
    panel = help_panel(page)
    expect(panel.locator(".text strong")).to_have_text("€8")
    expect(panel.locator(".text td")).to_have_text(["lost", "€8"])
    expect(panel.locator(".intent")).to_contain_text("Lost card")
    expect(panel.locator(".share")).to_contain_text("98 %")
    expect(panel.locator(".chip")).to_have_text(["AmountEUR 84.00"])
    source = panel.locator(".sources a")
    expect(source).to_have_attribute("href", f"{calls.url}/demo/bank/help/card-lost")
    expect(panel.locator(".next a")).to_have_attribute("href", f"{calls.url}/demo/bank/help/fees")
    with context.expect_page() as opened:
        source.click()
    expect(opened.value.locator("article")).to_be_visible()


def test_risks_are_badges_at_the_turn_and_stay_in_sight(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    expect(help_panel(page).locator(".risks")).to_have_text("RisksNone so far")
    calls.say(message("m1", "Somebody used my card, and I want to complain"))
    risks = [{"kind": "fraud", "evidence": "Somebody used my card"}, {"kind": "complaint", "evidence": ""}]
    calls.say(reading("m1", risks=risks))
    expect(log(page).locator(".badge.risk")).to_have_text(["Fraud", "Complaint"])
    calls.say(message("m2", "Thanks", 5_000))
    calls.say(reading("m2", "thanks", title="Thanks"))
    expect(help_panel(page).locator(".intent")).to_contain_text("Thanks")
    expect(help_panel(page).locator(".risks li")).to_have_text(["Fraud“Somebody used my card”", "Complaint"])


def test_the_help_for_an_earlier_turn_can_be_looked_at_again(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    for number, (question, answer) in enumerate(
        [("first question", "first answer"), ("second", "second answer")]
    ):
        calls.say(message(f"m{number}", question, number * 4_000))
        calls.say(reading(f"m{number}"))
        calls.say(suggestion(f"m{number}", answer, "card-lost"))
    said = help_panel(page).locator(".answer .text")
    expect(said).to_have_text("second answer")
    log(page).get_by_role("button", name="Help").first.click()
    expect(said).to_have_text("first answer")
    calls.say(message("m9", "third", 20_000))
    calls.say(suggestion("m9", "third answer"))
    expect(log(page).get_by_role("button", name="Help")).to_have_count(3)
    expect(said).to_have_text("first answer")  # what somebody reads is not taken away
    page.get_by_role("button", name="Back to the latest help").click()
    expect(said).to_have_text("third answer")


def test_an_answer_to_another_turn_than_the_last_says_so(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "My wallet was stolen"))
    calls.say(reading("m1"))
    calls.say(suggestion("m1", "Freeze the card.", "card-lost"))
    label = help_panel(page).locator(".answer .label").first
    expect(label).to_have_text("Suggested answer")
    calls.say(message("m2", "No, that's everything", 8_000))
    calls.say(reading("m2", "thanks", title="Thanks"))
    expect(label).to_have_text("Suggested answer to an earlier turn")
    expect(help_panel(page).locator(".about")).to_have_text("“My wallet was stolen”")
    calls.say(suggestion("m2", "Goodbye."))
    expect(label).to_have_text("Suggested answer")


def test_where_the_articles_say_nothing_the_page_says_so(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "How deep is the ocean?"))
    calls.say(reading("m1"))
    calls.say(suggestion("m1", ""))
    expect(help_panel(page).locator(".answer")).to_contain_text("The articles say nothing about this.")
    expect(help_panel(page).get_by_role("button", name="Copy")).to_have_count(0)
    expect(log(page).get_by_role("button", name="Help")).to_have_count(0)
    calls.say(message("m2", "And the fees?", 4_000))
    calls.say(suggestion("m2", "", next_articles=("fees",)))
    expect(help_panel(page).locator(".next a")).to_have_text("Fees")
    expect(log(page).get_by_role("button", name="Help")).to_have_count(1)


def test_nothing_moves_when_help_comes(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "Somebody used my card"))
    expect(turns(page)).to_have_count(1)

    def tops() -> list[float]:
        places = [*log(page).locator(".said").all(), *help_panel(page).locator(".card, .risks").all()]
        return [box["y"] for place in places if (box := place.bounding_box()) is not None]

    before = tops()
    amount = [{"kind": "amount", "text": "84 euros", "value": "EUR 84.00"}]
    calls.say(reading("m1", risks=[{"kind": "fraud", "evidence": "used my card"}], entities=amount))
    calls.say(suggestion("m1", "Freeze the card in the app.", "card-lost"))
    expect(help_panel(page).locator(".sources a")).to_be_visible()
    assert len(before) == 4  # the turn, risks, what it is about, the answer
    assert tops() == before


# --- The results ------------------------------------------------------------------------------------------------------


def test_the_results_come_after_the_end(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "My card was stolen"))
    calls.say(agent("m2", "I'll order the new card today", 4_000))
    calls.say(message("m3", "Great, thank you", 8_000))
    expect(page.get_by_role("tab", name="Results")).to_be_disabled()
    calls.say({"type": "closed", "by": "customer"})
    expect(page.locator(".answer")).to_contain_text("None was made in time.")
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    page.get_by_role("tab", name="Results").click()
    panel = page.get_by_role("tabpanel", name="Results")
    expect(panel).to_have_text("The results are being prepared…")
    calls.say(analysis())
    expect(panel.locator(".summary")).to_have_text("A stolen card was blocked.")
    expect(panel.locator(".topics li")).to_have_text(["Lost card50 %"])
    expect(panel.locator(".promises li")).to_contain_text(["AgentI'll order the new card"])
    expect(panel.locator(".due")).to_have_text("by Fri 27 November")
    expect(panel.locator(".checks li")).to_have_text(["GreetingsaidShow", "Recording announcednot said"])
    expect(panel.locator(".checks .failed")).to_have_count(1)
    expect(panel.get_by_role("img")).to_have_attribute(
        "aria-label", "Began negative, ended positive; on the whole neutral."
    )
    expect(panel.locator(".mood circle")).to_have_count(2)
    panel.locator(".promises button").click()
    expect(page.locator(".turn.found .said")).to_have_text("I'll order the new card today")


def test_restart_begins_anew_and_nothing_of_the_old_call_is_left(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "old"))
    calls.say(reading("m1", risks=[{"kind": "fraud", "evidence": "old"}]))
    calls.say(analysis())
    expect(page.get_by_role("tabpanel", name="Results")).to_be_visible()
    begin(page, page.get_by_role("button", name="Restart").click)
    expect(turns(page)).to_have_count(0)
    expect(page.locator(".risks")).to_have_text("RisksNone so far")
    expect(page.get_by_role("tab", name="Results")).to_be_disabled()
    calls.say(message("m1", "new"))
    expect(turns(page)).to_have_text(["new"])
    assert len(calls.asked) == 2


# --- Trouble ----------------------------------------------------------------------------------------------------------


def test_a_cut_stream_goes_on_behind_its_last_frame(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(message("m1", "before"))
    expect(turns(page)).to_have_text(["before"])
    calls.cut()
    calls.say(message("m2", "while it was away", 5_000))
    expect(turns(page)).to_have_text(["before", "while it was away"])
    expect(page.get_by_role("status")).to_be_hidden()
    assert calls.resumed == ["0", "1"]


def test_a_call_that_died_with_its_server_is_said_so(
    visit: Visit, context: BrowserContext, calls: ScriptedCalls, problems: list[str]
) -> None:
    page = visit(started=False)
    page.clock.install()
    begin(page, page.locator(".play").click)
    calls.say(message("m1", "before"))
    expect(turns(page)).to_have_text(["before"])
    calls.away = 503
    calls.cut()
    expect(page.get_by_role("status")).to_have_text("Connecting again…")
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("status")).to_have_text("The call broke off. Press Restart to play it again.")
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    assert all("503" in each for each in problems)
    problems.clear()


def test_an_erased_call_is_said_so(visit: Visit, calls: ScriptedCalls, problems: list[str]) -> None:
    page = visit()
    calls.say(message("m1", "before"))
    expect(turns(page)).to_have_text(["before"])
    calls.away = 410
    calls.cut()
    expect(page.get_by_role("status")).to_have_text("This call is no longer to be had.")
    expect(page.get_by_role("button", name="Play")).to_be_enabled()
    assert all("410" in each for each in problems) and problems
    problems.clear()


def test_html_is_text_everywhere(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit()
    calls.say(segment("m0", HTML))
    expect(live(page)).to_contain_text(HTML)
    calls.say(message("m1", HTML, original=f"um {HTML}"))
    calls.say(agent("m2", HTML, 2_000, HTML))
    calls.say({"type": "owner", "owner": "human", "name": "one"})
    calls.say({"type": "owner", "owner": "human", "name": HTML})
    named = [{"kind": HTML, "text": HTML, "value": HTML}]
    calls.say(reading("m1", title=HTML, risks=[{"kind": "fraud", "evidence": HTML}], entities=named))
    bad = {"id": "x", "title": HTML, "url": "javascript:alert(1)"}
    calls.say(
        {"type": "suggestion", "answers": "m1", "text": HTML, "citations": [bad], "next_articles": [bad]}
    )
    panel = help_panel(page)
    expect(panel.locator(".text")).to_have_text(HTML)
    expect(panel.locator(".sources li")).to_have_text(HTML)
    expect(panel.locator(".risks")).to_contain_text(HTML)
    assert page.locator(".desk a").count() == 0  # such an address is no link
    calls.say(
        analysis(
            summary=HTML,
            topics=[{"label": HTML, "share": 1, "seqs": []}],
            promises=[{"by": "customer", "text": HTML, "seq": 1, "due": None}],
        )
    )
    expect(page.locator(".summary")).to_have_text(HTML)
    assert page.locator(".desk img, .desk b").count() == 0


# --- Languages, themes, policy ----------------------------------------------------------------------------------------


def test_the_page_speaks_chinese(visit: Visit, calls: ScriptedCalls) -> None:
    page = visit("zh")
    expect(page.get_by_role("heading", level=1)).to_have_text("通话与坐席助手")
    expect(page.get_by_role("button", name="重新开始")).to_be_enabled()
    calls.say(message("m1", "我的卡丢了"))
    calls.say(reading("m1", title="银行卡丢失", risks=[{"kind": "fraud", "evidence": "卡丢了"}]))
    calls.say(suggestion("m1", "请立即冻结卡片。", "card-lost"))
    expect(log(page).locator(".badge")).to_have_text("欺诈风险")
    expect(page.locator(".answer")).to_contain_text("建议回答")
    expect(page.locator(".answer .text")).to_have_text("请立即冻结卡片。")
    calls.say(analysis())
    expect(page.get_by_role("tabpanel", name="通话结果")).to_contain_text("合规检查")
    expect(page.locator(".due")).to_have_text("截止 11月27日周五")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_it_in_both_themes_and_widths(
    browser: Browser, calls: ScriptedCalls, scheme: Any, width: int, output_dir: Path
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en")
    page = context.new_page()
    page.goto(f"{calls.url}/demo/bank/call")
    begin(page, page.locator(".play").click)
    calls.say(message("m1", "Somebody used my card"))
    calls.say(reading("m1", risks=[{"kind": "fraud", "evidence": "Somebody used my card"}]))
    calls.say(suggestion("m1", "Freeze the card in the app.", "card-lost", next_articles=("fees",)))
    calls.say(agent("m2", "I'll order the new card", 6_000))
    calls.say(segment("m3", "and what does", 9_000))
    expect(live(page)).to_have_count(1)
    expect(page.locator(".sources a")).to_be_visible()
    for name in ("help", "results"):
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        bad = [each for each in found if each["impact"] in SERIOUS]
        assert bad == [], json.dumps(bad, indent=1)
        overflow = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert page.evaluate(overflow)
        page.screenshot(path=output_dir / f"call-{name}-{scheme}-{width}.png", full_page=True)
        calls.say(analysis())
        expect(page.locator(".summary")).to_be_visible()
    context.close()


def test_the_policy_allows_nothing_inline_and_is_kept(
    visit: Visit, calls: ScriptedCalls, problems: list[str]
) -> None:
    page = visit(started=False)
    page.evaluate(
        "() => document.body.append(Object.assign(new Image(), { src: 'https://elsewhere.example/x.png' }))"
    )
    begin(page, page.locator(".play").click)
    calls.say(message("m1", "hello"))
    expect(turns(page)).to_have_text(["hello"])
    [refused] = problems  # the policy is in force, and the page itself breaks it nowhere
    assert "img-src 'self' data:" in refused
    problems.clear()
    assert page.locator("[style], style, script:not([src])").count() == 0
