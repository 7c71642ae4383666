"""What to do with an understood turn: hand off, look it up, ask back, or answer with a fixed text."""

from collections.abc import Sequence
from dataclasses import dataclass

from parley.domain.conversation import Reading, Turn, TurnMessage
from parley.domain.risks import gravity
from schemas.base import MessageId
from schemas.parts import RiskKind, ScoredIntent
from schemas.tenant import IntentRule, TenantConfig


@dataclass(frozen=True, slots=True)
class HandOff:
    """A human has to see this; `reply` is a canned text to be said besides."""

    intent: str | None
    reply: str | None
    risks: tuple[RiskKind, ...]


@dataclass(frozen=True, slots=True)
class LookUp:
    """Search the tenant's articles for what these texts ask together."""

    intent: str | None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """A canned text; with `asks` the customer's next message belongs to this one."""

    intent: str
    reply: str
    asks: bool


Plan = HandOff | LookUp | Say


def rule_of(message: TurnMessage, tenant: TenantConfig) -> IntentRule | None:
    """The rule of the message's best intent, or None where that is unknown or too unsure."""
    if message.reading is None or not message.reading.intents:
        return None
    best = message.reading.intents[0]
    return tenant.intents.get(best.intent) if best.probability >= tenant.thresholds.intent else None


def plan(turn: Turn, tenant: TenantConfig) -> Plan:
    """The plan for all messages of the turn together."""
    return plan_messages(turn.messages, tenant)


def plan_messages(messages: Sequence[TurnMessage], tenant: TenantConfig) -> Plan:
    """A hand-off wins over everything, and all risks are kept."""
    rules = [(message, rule_of(message, tenant)) for message in messages]
    risks = tuple(
        dict.fromkeys(
            [risk for message in messages if message.reading for risk in message.reading.risks]
            + [rule.risk for _, rule in rules if rule is not None and rule.risk is not None]
        )
    )
    hand_offs = [rule for _, rule in rules if rule is not None and rule.route == "handoff"]
    if hand_offs or risks:
        return _hand_off(hand_offs, risks, tenant)
    questions = [(message, rule) for message, rule in rules if rule is None or rule.route == "answer"]
    if questions:
        intent = next((rule.id for _, rule in reversed(questions) if rule is not None), None)
        return LookUp(intent, tuple(message.text for message, _ in questions))
    said = [rule for _, rule in rules if rule is not None]
    chosen = next((rule for rule in said if rule.route == "ask"), said[-1])
    assert chosen.reply is not None  # the contract refuses an ask or a canned route without a reply
    return Say(chosen.id, chosen.reply, chosen.route == "ask")


def plan_of(
    text: str, intents: tuple[ScoredIntent, ...], risks: tuple[RiskKind, ...], tenant: TenantConfig
) -> Plan:
    """The plan for one text by itself."""
    return plan_messages([TurnMessage(MessageId(""), text, Reading("", intents, risks))], tenant)


def _hand_off(hand_offs: list[IntentRule], risks: tuple[RiskKind, ...], tenant: TenantConfig) -> HandOff:
    """What is said fits the gravest of it all; of rules for the same, that of a recognised intent."""
    gravest_first = tuple(sorted(risks, key=gravity))
    fitting = hand_offs + [rule for rule in tenant.intents.values() if rule.risk in risks]
    if not fitting:
        return HandOff(None, None, gravest_first)
    rule = min(fitting, key=lambda rule: gravity(rule.risk))
    return HandOff(rule.id, rule.reply, gravest_first)
