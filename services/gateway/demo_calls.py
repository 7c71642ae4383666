"""The example calls that a tenant's demo offers, and the page on which one plays: no HTTP and no store.

What happens on the call, and the help for it, comes by `GET /v1/calls/{id}/events`; the page's scripts (`demo/call*.js`) show it.
"""

import html
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from connectors.calls import examples as example_calls
from connectors.calls.formats import read
from connectors.calls.playing import SPEEDS
from connectors.calls.transcript import TranscriptRefused
from parley.errors import ConfigurationError
from schemas.base import TenantId

logger = logging.getLogger(__name__)

TENANTS = Path(__file__).resolve().parents[2] / "tenants"

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "A call, with help for the agent",
        "lead": "Parley listens to both, and helps the agent while they speak.",
        "link": "See how it helps an agent on a call",
        "example": "Call",
        "speed": "Speed",
        "1x": "1×",
        "10x": "10×",
        "at-once": "At once",
        "play": "Play",
        "restart": "Restart",
        "transcript": "Transcript",
        "heard": "As heard",
        "help": "Live help",
        "results": "Results",
        "views": "Help and results",
    },
    "zh": {
        "title": "通话与坐席助手",
        "lead": "坐席与客户通话时，Parley 实时聆听并提供帮助。",
        "link": "看看通话时它如何协助坐席",
        "example": "通话",
        "speed": "速度",
        "1x": "1 倍",
        "10x": "10 倍",
        "at-once": "立即完成",
        "play": "播放",
        "restart": "重新开始",
        "transcript": "通话记录",
        "heard": "显示原始识别",
        "help": "实时协助",
        "results": "通话结果",
        "views": "协助与结果",
    },
}


@dataclass(frozen=True, slots=True)
class Example:
    """What the page says of a call before it plays. `title` by language; `language` is the one that is spoken."""

    name: str
    title: Mapping[str, str]
    language: str
    duration_ms: int


def examples(tenant: TenantId, tenants: Path = TENANTS) -> tuple[Example, ...]:
    """Those of the tenant's folder in this checkout. What cannot be read is left out, and a log line says why: it breaks no page."""
    folder = tenants / tenant
    try:
        return tuple(_example(folder, call.name, call.title) for call in example_calls.load(folder))
    except (ConfigurationError, TranscriptRefused, OSError) as error:
        logger.warning("the example calls of %s are left out: %s", tenant, error)
        return ()


def _example(folder: Path, name: str, title: Mapping[str, str]) -> Example:
    path = example_calls.path_of(folder, name)
    calls = read(path.read_bytes(), name=path.name)
    if len(calls) != 1:
        raise TranscriptRefused(f"{path.name}: {len(calls)} calls; an example is one")
    ends = (*(turn.end_ms for turn in calls[0].turns), *(event.at_ms for event in calls[0].events))
    return Example(name, title, calls[0].language or "", max(ends))


def body(
    template: Template, tenant: str, language: str, found: Sequence[Example], checks: Mapping[str, str]
) -> str:
    """The page's main part. `checks` are the titles of the tenant's own check-list by id. Every value is escaped here."""
    words = words_of(language)
    return template.substitute(
        {name: html.escape(text) for name, text in words.items() if name not in SPEEDS},
        tenant=html.escape(tenant),
        checks=html.escape(json.dumps(checks, ensure_ascii=False)),
        options="".join(_option(example, language) for example in found),
        speeds="".join(_speed(speed, words[speed], checked=speed == next(iter(SPEEDS))) for speed in SPEEDS),
    )


def words_of(language: str) -> Mapping[str, str]:
    return WORDS.get(language, WORDS["en"])


def _option(example: Example, language: str) -> str:
    title = example.title.get(language) or next(iter(example.title.values()))
    return (
        f'<option value="{html.escape(example.name)}" data-language="{html.escape(example.language)}"'
        f' data-duration="{example.duration_ms}">{html.escape(title)}</option>'
    )


def _speed(speed: str, label: str, *, checked: bool) -> str:
    mark = " checked" if checked else ""
    return f'<label><input type="radio" name="speed" value="{speed}"{mark}><span>{html.escape(label)}</span></label>'
