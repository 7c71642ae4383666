"""What to do with an understood turn: hand off, look it up, ask back, or answer with a fixed text."""

from dataclasses import dataclass

from parley.domain.conversation import Turn, TurnMessage
from schemas.parts import RiskKind
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
    """The plan for all messages of the turn together; a hand-off wins over everything, and all risks are kept."""
    rules = [(message, rule_of(message, tenant)) for message in turn.messages]
    risks = tuple(
        dict.fromkeys(
            [risk for message in turn.messages if message.reading for risk in message.reading.risks]
            + [rule.risk for _, rule in rules if rule is not None and rule.risk is not None]
        )
    )
    hand_off = next((rule for _, rule in rules if rule is not None and rule.route == "handoff"), None)
    if hand_off is not None or risks:
        hand_off = hand_off or _rule_for(risks, tenant)
        intent, reply = (hand_off.id, hand_off.reply) if hand_off is not None else (None, None)
        return HandOff(intent, reply, risks)
    questions = [(message, rule) for message, rule in rules if rule is None or rule.route == "answer"]
    if questions:
        intent = next((rule.id for _, rule in reversed(questions) if rule is not None), None)
        return LookUp(intent, tuple(message.text for message, _ in questions))
    said = [rule for _, rule in rules if rule is not None]
    chosen = next((rule for rule in said if rule.route == "ask"), said[-1])
    assert chosen.reply is not None  # the contract refuses an ask or a canned route without a reply
    return Say(chosen.id, chosen.reply, chosen.route == "ask")


def _rule_for(risks: tuple[RiskKind, ...], tenant: TenantConfig) -> IntentRule | None:
    """The tenant's own hand-off for the first of these risks that it has one for."""
    for risk in risks:
        for rule in tenant.intents.values():
            if rule.risk == risk:
                return rule
    return None
