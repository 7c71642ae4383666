"""No words that a call can hold take more than their share of time: not in a reader, not in what is taken out of a turn, not in what is found in it.

Every piece is repeated to the length of the longest turn, and an ordinary word stands behind it: what is looked for is there for
long, and then is not.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import cast

import pytest

from connectors.calls.formats import read
from connectors.calls.listening import Listening
from connectors.calls.noise import normalise
from connectors.calls.speakers import speaker_of
from connectors.calls.transcript import MOST_CHARACTERS, Transcript, TranscriptRefused
from parley.domain import risks
from parley.domain.analysis import SaidTurn, analyse
from parley.domain.entities import entities
from parley.domain.masking import Masker
from parley.domain.masking.partial import hidden
from parley.domain.words import terms
from schemas.analysis import Side
from tests.support.growth import LONG, out_of_step
from tests.support.small_tenant import CONFIG

SCALE = MOST_CHARACTERS // LONG
WORDS = """
um uh uhm er hm hmm mm u m h um, uh, I I, I-I a- w- ca- we we, we- the the, that that_ hello, thanks, yes, okay, so well
will i'll i_will we_will my your please no not never if by next within tomorrow may monday of and to a a_b_c x A Ab
oh zero one two three twenty hundred double thousand and_a_half fifty-five 0 1 1_ 12 12: 1:2: 00:01 00:01_ 09:30:05_ 2026-03-01_ AM 5- 5, 5. +
嗯 呃 唔 额 啊 哦 那个 这个 就是说 嗯， 唔， 额、 那个， 这个 我 我我 我， 您好 您好， 请 好的， 会 我们 给您 不 没 吗 已经 三 一 二十 百 零 两 幺 个 年 月 日 天 号 点 周 明天 工作日 三个 十五
( ) [ ] < > { } （ ） 【 】 « » [a (a <a [noise] (noise)_ <v_ <v.a <c <br> <p> </ <!-- & &# &#1 &#49; &amp; ' ’ " “ ” `
: ： Agent: a:_ 客服： [Agent] >>_ >> , ,_ ， 、 。 . ._ ... … ! ? ; | / // http:// \\ - -_ -- --> — * _ ** ~ $ % @ a@ a@b. # ^ =
"""
BLANK = [
    " ",
    "\t",
    "\n",
    " \n",
    "\n\n",
    "\r\n",
    "\x0b",
    "\u3000",
    "\xa0",
    "\u200b",
    "\x00",
    "\u2028",
    "\ufeff",
]
PIECES = [*(word.replace("_", " ") for word in WORDS.split()), *BLANK, "_", "é", "ﬁ", "😀", "\u0301"]
TAIL = "word"

MASKER = Masker()
SAID_AT = datetime(2026, 11, 30, tzinfo=UTC)


def reads(form: str, before: str) -> Callable[[str], object]:
    def run(text: str) -> object:
        try:
            return read((before + text).encode(), form=form)
        except TranscriptRefused as refused:
            return refused

    return run


def message(mediatype: str, before: str = "") -> Callable[[str], object]:
    def run(text: str) -> object:
        dialog = {"type": "text", "parties": [0], "body": before + text, "mediatype": mediatype}
        return reads("vcon", "")(json.dumps({"parties": [{}], "dialog": [dialog]}))

    return run


def analysed(side: Side, text: str) -> object:
    return analyse([SaidTurn(1, side, text, SAID_AT)], CONFIG, "en")


TARGETS: dict[str, Callable[[str], object]] = {
    "a turn's text": normalise,
    "a label": speaker_of,
    "the beginning of a file": lambda text: reads("text", "")(text + "\nAgent: hi"),
    "a line": reads("text", "Agent: "),
    "behind a time": reads("text", "Agent: hi\n[00:00:01] "),
    "a line of its own": reads("text", "Agent: hi\n"),
    "WebVTT": reads("webvtt", "WEBVTT\n\n00:00.000 --> 00:01.000\n"),
    "a line of times": reads("webvtt", "WEBVTT\n\n00:00.000 --> "),
    "SRT": reads("srt", "1\n00:00:00,000 --> 00:00:01,000\n"),
    "a table": reads("csv", "speaker,text\nAgent,"),
    "JSON": lambda text: reads("turns", "")(json.dumps([{"speaker": text, "text": text, "start": text}])),
    "HTML": message("text/html"),
    "a mail": message("multipart/mixed; boundary=b", "--b\ncontent-type:"),
    "masking": lambda text: Listening(MASKER).find(text, text, "customer"),
    "what is still being said": lambda text: hidden(MASKER.find(text), expected=True),
    "risks": risks.risks,
    "entities": lambda text: entities(text, date(2026, 11, 30)),
    "terms": terms,
    "what a customer said": lambda text: analysed("customer", text),
    "what an agent said": lambda text: analysed("human_agent", text),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("target", TARGETS)
def test_work_grows_with_what_is_repeated(target: str) -> None:
    run = TARGETS[target]
    run("hello")
    slow = [piece for piece in PIECES if out_of_step(run, piece, TAIL, SCALE)]
    assert not slow


@pytest.mark.parametrize("reference", ["&#" + "1" * 5_000, "&#x" + "1" * 5_000])
def test_an_endless_character_reference_is_no_character(reference: str) -> None:
    for target in ("WebVTT", "SRT", "HTML"):
        calls = cast(list[Transcript], TARGETS[target](f"a{reference}; b"))
        assert [turn.original for call in calls for turn in call.turns] == ["a\ufffd b"]


def test_an_endless_number_of_years() -> None:
    assert terms("1" * 5_000 + " years")
