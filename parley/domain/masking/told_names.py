"""Names on a call. The human agent's own, which the call states, is shown beside every turn: it stays readable where the agent says it. The
customer's is masked where it was asked for in one turn and is told in the next, or where the call states it, and wherever it is said again.

A name without such words is not found, here as elsewhere. A recogniser's capitals tell a name from other words; without any only the whole
name is known again.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from parley.domain.masking.everyday import ENDS, NO_NAMES
from parley.domain.masking.found import listed
from parley.domain.masking.names import SURNAMES
from parley.domain.masking.placeholders import Findings, Taken

TURNS = 3
"""How many of the customer's turns may come until an asked name is told."""
MOST_KNOWN = 8
"""Names of one call."""

_ASKED = re.compile(
    r"(?<!in )\b(?:your|the|customer'?s|holder'?s) (?:full |first |last |family |own )*(?:name|surname)\b|\bwho am i (?:speaking|talking) (?:to|with)\b"
    r"|姓名|贵姓|(?:怎么|如何)称呼|(?:什么|您的?)名字",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:\W*(?:yes|yeah|yep|sure|of course|certainly|okay|ok|right|um|uh|hi|hello|well|so)\b[\s,.!-]*){0,4}\W*"
    r"(?P<said>(?:it'?s|it is|that'?s|that is|that would be|this is|i'?m|i am|(?:my |the )?name'?s|(?:my |the )?name is)\s+)?",
    re.IGNORECASE,
)
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
_FULL = re.compile(
    rf"{_CAPITAL}(?: (?:{_CAPITAL}\.?|van|von|de|der|den|da|la|le|bin|al)){{0,3}} {_CAPITAL}(?![\w])"
)
_SINGLE = re.compile(rf"({_CAPITAL})(?=[,.!?]|\s*$)")
_SMALL = re.compile(r"[a-zà-ž][\w'’-]*(?: [a-zà-ž][\w'’-]*){1,2}(?=[,.!?]|\s*$)")
_CHINESE = re.compile(
    rf"(?:是的|对的?|好的?|嗯|哦|您好|你好)?[，,、。\s]*(?:我?姓?名?字?(?:是|叫))?([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=[，,。.、！!\s]|$)"
)
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*[^\W_])?")
_ALSO_WORDS = listed("will may mark grant bill chase hope joy do so an in can drew frank rich pat sue art")
"""Names that begin sentences as other words."""
_SENTENCE_ENDS = re.compile(r"[.!?]\s{1,3}$")
_NO_CHINESE = re.compile("[的了吗呢吧是在不要想请有没和我你您他她什么怎么可以稍等谢好对]")


class ToldNames:
    """One call's, turn by turn in the order in which they began. Not thread-safe. It remembers the names themselves, for as long as the call."""

    def __init__(self) -> None:
        self._agents: set[str] = set()
        self._known: list[tuple[str, ...]] = []
        self._left = 0

    def of_agent(self, name: str | None) -> None:
        """The call states who speaks for the company."""
        self._agents.update(_words(name or ""))

    def of_customer(self, name: str | None) -> None:
        """The call states the customer's name. A label such as `Caller` or an address is none."""
        words = tuple(_WORD.findall(name or ""))
        if 2 <= len(words) <= 4 and " ".join(words) == (name or "").strip():
            self._remember(words)
        elif name is not None and re.fullmatch(r"[\u4e00-\u9fff]{2,4}", name.strip()):
            self._remember((name.strip(),))

    def find(self, found: Findings, *, by_agent: bool) -> Findings:
        """What of a turn is personal data, given what its words alone tell. Changes nothing."""
        kept = [each for each in found.taken if not (by_agent and self._is_agents(each))]
        spans = [*self._again(found.text)]
        if self._left and not by_agent and (told := _told(found.text)) is not None:
            spans.append(told)
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            if all(end <= each.start or each.end <= start for each in kept):
                kept.append(Taken(start, end, "name", found.text[start:end].lower()))
        return replace(found, taken=tuple(sorted(kept, key=lambda each: each.start)))

    def hear(self, text: str, *, by_agent: bool) -> None:
        """A turn has been said: what it asks for is expected now, and what it told is known."""
        if by_agent:
            self._left = TURNS if _ASKED.search(text) is not None else self._left
        elif self._left:
            told = _told(text)
            self._left = 0 if told is not None else self._left - 1
            if told is not None:
                name = text[slice(*told)]
                self._remember(tuple(_WORD.findall(name)) if name[0] < "\u3400" else (name,))

    def _remember(self, words: tuple[str, ...]) -> None:
        if words not in self._known:
            self._known = [*self._known, words][-MOST_KNOWN:]

    def _is_agents(self, taken: Taken) -> bool:
        words = _words(taken.value)
        return taken.kind == "name" and bool(words) and self._agents.issuperset(words)

    def _again(self, text: str) -> Iterator[tuple[int, int]]:
        for words in self._known:
            whole = r"\s+".join(map(re.escape, words))
            if words[0][0] >= "\u3400":
                yield from (hit.span() for hit in re.finditer(whole, text))
                continue
            yield from (hit.span() for hit in re.finditer(rf"(?<!\w){whole}(?![\w])", text, re.IGNORECASE))
            for word in words:
                if len(word) > 2 and word.lower() not in self._agents:
                    yield from _single(text, word)


def _single(text: str, word: str) -> Iterator[tuple[int, int]]:
    """One word of a name, with its capital; not where a sentence may begin with that word."""
    capital = word[0].upper() + word[1:]
    for hit in re.finditer(rf"(?<!\w){re.escape(capital)}(?!\w)", text):
        begins = not hit.start() or _SENTENCE_ENDS.search(text[max(0, hit.start() - 4) : hit.start()])
        if not (begins and word.lower() in _ALSO_WORDS):
            yield hit.span()


def _told(text: str) -> tuple[int, int] | None:
    """Where the name stands that a turn begins with, if it begins with one."""
    chinese = _CHINESE.match(text)
    if chinese is not None and not _NO_CHINESE.search(chinese[1]):
        return chinese.span(1)
    lead = _LEAD.match(text)
    assert lead is not None  # all of it may be missing
    hit = _FULL.match(text, lead.end())
    if hit is None and (lead["said"] or not text[lead.end() :].strip(" .!,").count(" ")):
        hit = _SINGLE.match(text, lead.end())
    if hit is None and text == text.lower() and lead["said"]:
        hit = _SMALL.match(text, lead.end())
    if hit is None or not (ENDS | NO_NAMES).isdisjoint(_words(hit[0])):
        return None
    return hit.span()


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
