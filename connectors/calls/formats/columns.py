"""What the columns of a table and the fields of a JSON turn are called, whoever wrote them: English and Chinese, in any spelling.

`Start Time (ms)`, `start_time_ms` and `startTimeMs` are one name: a start, in milliseconds.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from parley.domain.remembering import remembering

#: By what a column holds, best first. `role` is a side, `speaker` whoever speaks in the source's own terms, `voice` a number or channel.
NAMES: dict[str, tuple[str, ...]] = {
    "role": ("role", "speaker role", "participant role", "party role", "speaker type", "角色", "身份"),
    "speaker": (
        *("speaker", "participant", "parties", "party", "who", "speaker label", "说话人", "发言人", "讲话人"),
    ),
    "name": ("speaker name", "participant name", "name"),
    "voice": ("speaker id", "participant id", "speaker tag", "channel", "channel id", "声道"),
    "text": (
        *("text", "content", "message", "utterance", "transcript", "sentence", "body"),
        *("内容", "文本", "话术", "对话内容", "语句", "转写", "转写文本"),
    ),
    "start": (
        *("start", "start time", "begin", "begin time", "start offset", "begin offset", "beginoffset"),
        *("offset", "from", "timestamp", "time", "start timestamp", "timestamp start", "started at"),
        *("开始", "开始时间", "起始时间", "时间"),
    ),
    "end": (
        *("end", "end time", "stop", "stop time", "end offset", "endoffset", "to", "end timestamp"),
        *("timestamp end", "ended at", "结束", "结束时间"),
    ),
    "duration": ("duration", "时长", "持续时间"),
    "confidence": ("confidence", "score", "置信度"),
    "call": (
        *("call id", "callid", "conversation id", "contact id", "call", "session id"),
        *("通话id", "会话id", "通话编号"),
    ),
}
_SCALES = {
    "s sec secs second seconds 秒": 1_000.0,
    "ms msec msecs millis millisecond milliseconds 毫秒": 1.0,
    "us usec usecs micros microsecond microseconds 微秒": 1e-3,
    "ns nanos nanosecond nanoseconds": 1e-6,
}
_UNITS = {unit: scale for units, scale in _SCALES.items() for unit in units.split()}
_GLUED = ("milliseconds", "millis", "ms")
_TIMES = ("start", "end", "duration")
_OF_A_TURN = ("utterance", "segment", "turn", "sentence", "phrase")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s_\-./()（）\[\]]+")
_LONGEST = 80

_KINDS = {name: (kind, place) for kind, names in NAMES.items() for place, name in enumerate(names)}


@dataclass(frozen=True, slots=True)
class Column:
    """`scale` makes milliseconds of a time, where the name says its unit. The lower the `rank`, the better the name."""

    kind: str
    rank: tuple[bool, int]
    scale: float | None = None


@remembering(4_096)  # whatever stands above a table may be somebody's words
def column(name: str) -> Column | None:
    """What a name says; None of one that is not known."""
    words = _BETWEEN.sub(" ", _CAMEL.sub(" ", name[:_LONGEST])).casefold().split()
    if len(words) > 1 and words[0] in _OF_A_TURN:
        words = words[1:]
    if (found := _KINDS.get(" ".join(words))) is not None:
        return Column(found[0], (True, found[1]))
    base, scale = _without_unit(words)
    kind, place = _KINDS.get(base, ("", 0))
    return Column(kind, (False, place), scale) if kind in _TIMES else None


def _without_unit(words: list[str]) -> tuple[str, float]:
    if not words:
        return "", 1.0
    if (scale := _UNITS.get(words[-1])) is not None:
        return " ".join(words[:-1]).removesuffix(" in"), scale
    glued = next((unit for unit in _GLUED if words[-1].endswith(unit)), "")
    return " ".join(words).removesuffix(glued), 1.0


@remembering(1_024)
def best(names: tuple[str, ...]) -> Mapping[str, str]:
    """The best name of each kind."""
    found: dict[str, tuple[tuple[bool, int], str]] = {}
    for name in names:
        if (known := column(name)) is not None and (
            known.kind not in found or known.rank < found[known.kind][0]
        ):
            found[known.kind] = (known.rank, name)
    return MappingProxyType({kind: name for kind, (_, name) in found.items()})


def names_somebody(kinds: Collection[str]) -> bool:
    return any(kind in kinds for kind in ("role", "speaker", "name", "voice"))
