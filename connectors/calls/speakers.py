"""Who is the customer and who speaks for the company.

In this order: what the caller of `read` says; the source's role; the label's own words, then the name's; with two voices of which one is
known, the other is the other side; who greets with the company's words; and where nothing tells, who speaks first is the agent, since
calls are answered by the company. A single voice that nothing tells about is the customer. Where labels make customers of all that speak,
who greets is the agent; guests and users (`Guest-1`, `Guest-2`) say no more than that somebody speaks.

Machines and supervisors speak for the company: they count as `human_agent`, for the common form knows two sides.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence

from connectors.calls.draft import Heard, Voice
from connectors.calls.transcript import Speaker, TranscriptRefused

SIDES: tuple[Speaker, Speaker] = ("customer", "human_agent")
LABELLED = "LABEL:customer or LABEL:human_agent"
"""How a person says who a label is."""


def labelled(told: Iterable[str]) -> dict[str, Speaker]:
    """From `LABEL:customer`: what `read` takes as `speakers`. Raises `ValueError` with the first that names no side."""
    found: dict[str, Speaker] = {}
    for each in told:
        label, _, named = each.rpartition(":")
        side = next((side for side in SIDES if side == named), None)
        if not label or side is None:
            raise ValueError(each)
        found[label] = side
    return found


#: Phrases go before words: "customer service" is the company.
_AGENT_PHRASES = re.compile(
    r"customer (?:service|care|support|success)|client services?|call cent(?:er|re)|help ?desk|account manager|(?:bank|head) teller|(?:personal|private|phone) banker"
    r"|outbound track|客户服务|客户经理|客服|坐席|座席|话务|接线|专员|顾问|机器人|工作人员"
)
_CUSTOMER_PHRASES = re.compile(r"end user|inbound track|客户|顾客|用户|来电|主叫|会员|消费者")
_AGENT_WORDS = """
agent agents representative rep csr advisor adviser operator assistant support supervisor bot chatbot voicebot system ivr employee
staff banker teller consultant specialist receptionist dispatcher hotline
"""
_AGENT = frozenset(_AGENT_WORDS.split())
_CUSTOMER_WORDS = """
customer customers client clients caller user users consumer patient guest subscriber cardholder policyholder buyer shopper
"""
_CUSTOMER = frozenset(_CUSTOMER_WORDS.split())
#: People are called so, too: alone they name a side, beside other words they may be a name (`Christopher Guest`).
_SURNAMES = frozenset(("guest", "banker", "teller", "patient", "shopper", "buyer"))
#: What meeting tools call everybody who speaks.
_ANYBODY = frozenset(("guest", "user"))
_WORD = re.compile(r"[^\W\d_]+")

#: What the company says when it answers, and customers do not.
_GREETING = re.compile(
    r"how (?:can|may|could) (?:i|we) (?:help|assist|be of)|(?:thank you|thanks) for (?:calling|contacting|choosing)"
    r"|how can i direct|what can i (?:do for|help) you|welcome to|you(?:'ve| have) reached|may i have your|can i have your"
    r"|could (?:you|i) (?:please )?(?:verify|confirm) your|anything else (?:that )?i can|this call (?:is|may be) (?:being )?(?:recorded|monitored)"
    r"|(?:请问)?有什么(?:可以|能)帮|很高兴为您服务|为您服务|感谢(?:您的)?(?:来电|致电)|欢迎(?:致电|拨打)|工号|请问您(?:贵姓|怎么称呼)|还有其他(?:问题|需要)"
)
_GREETING_TURNS = 40  # of each voice: greetings stand at a call's beginning
_GREETING_CHARACTERS = 400  # and at a turn's


def _words(label: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(label)]


def speaker_of(label: str) -> Speaker | None:
    """The side that a role or label names (`AGENT`, `Customer 1`, `坐席`), or None where it names none (`spk_0`, `Alice`)."""
    words = _words(label)
    joined = " ".join(words)
    if _AGENT_PHRASES.search(joined):
        return "human_agent"
    if _CUSTOMER_PHRASES.search(joined):
        return "customer"
    telling = set(words) if len(words) == 1 else set(words) - _SURNAMES
    if _AGENT.intersection(telling):
        return "human_agent"
    return "customer" if _CUSTOMER.intersection(telling) else None


def side_of(label: str, voice: Voice) -> Speaker | None:
    """By the role that the source gives, the label, and the name, whichever is the first to tell."""
    return speaker_of(voice.role) or speaker_of(label) or speaker_of(voice.name or "")


def told(speakers: Mapping[str, Speaker] | None) -> dict[str, Speaker]:
    """What the caller said, by folded label. Raises `TranscriptRefused` for a side that does not exist."""
    for label, side in (speakers or {}).items():
        if side not in SIDES:
            raise TranscriptRefused(f"speakers[{label!r}] must be one of {', '.join(SIDES)}")
    return {label.strip().casefold(): side for label, side in (speakers or {}).items()}


def assign(
    voices: Mapping[str, Voice], heard: Sequence[Heard], speakers: Mapping[str, Speaker] | None = None
) -> dict[str, Speaker]:
    """The side of each voice, by label."""
    said = told(speakers)
    sides = {label: side for label, voice in voices.items() if (side := _said(label, voice, said))}
    sure = {*sides, *(label for label, voice in voices.items() if speaker_of(voice.role))}
    sides |= {
        label: side
        for label, voice in voices.items()
        if label not in sides and (side := side_of(label, voice)) is not None
    }
    for label in _undecided(sides, sure, heard):
        del sides[label]
    unknown = [label for label in voices if label not in sides]
    if len(voices) == 2 and len(unknown) == 1:
        (known,) = sides.values()
        sides[unknown[0]] = "customer" if known == "human_agent" else "human_agent"
    elif unknown:
        sides.update(_by_talk(unknown, heard, "human_agent" in sides.values()))
    return sides


def _said(label: str, voice: Voice, said: Mapping[str, Speaker]) -> Speaker | None:
    names = (name for name in (label, voice.name, voice.role) if name)
    return next((side for name in names if (side := said.get(name.casefold())) is not None), None)


def _undecided(sides: Mapping[str, Speaker], sure: Container[str], heard: Sequence[Heard]) -> list[str]:
    """Where words make customers of all who speak, these: of those that say no more than that somebody does, or of whom one speaks as
    the company does.
    """
    speaking = dict.fromkeys(turn.voice for turn in heard)
    if len(speaking) < 2 or any(sides.get(label) != "customer" for label in speaking):
        return []
    asked = [label for label in speaking if label not in sure]
    anybody = [label for label in asked if _ANYBODY.intersection(_words(label))]
    greeting = [label for label in asked if _greets(turn.text for turn in heard if turn.voice == label)]
    return greeting or (anybody if len(anybody) > 1 else [])


def _by_talk(unknown: Sequence[str], heard: Sequence[Heard], has_agent: bool) -> dict[str, Speaker]:
    agents = {label for label in unknown if _greets(turn.text for turn in heard if turn.voice == label)}
    if not agents and not has_agent and len(unknown) > 1:
        agents = {next((turn.voice for turn in heard if turn.voice in unknown), unknown[0])}
    if len(agents) > 1 and len(agents) == len(unknown) and not has_agent:
        agents = {
            _greets_most(unknown, heard)
        }  # a company's words from both sides: the one with more of them
    return {label: "human_agent" if label in agents else "customer" for label in unknown}


def _greets(texts: Iterable[str]) -> int:
    return sum(
        _GREETING.search(text[:_GREETING_CHARACTERS].casefold()) is not None
        for _, text in zip(range(_GREETING_TURNS), texts, strict=False)
    )


def _greets_most(labels: Sequence[str], heard: Sequence[Heard]) -> str:
    return max(labels, key=lambda label: _greets(turn.text for turn in heard if turn.voice == label))
