"""What a language model is asked with: instructions, examples, what was said before, and the question below its numbered sources.

Every engine gets these messages; the model's own chat template makes tokens of them. The model names the sources that it used as `[1]`
(`parley.domain.citing` reads that).
"""

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from parley.errors import PromptTooLong
from schemas.base import TenantId
from schemas.parts import HistoryTurn, Passage

Role = Literal["system", "user", "assistant"]

NO_ANSWER = "NO_ANSWER"
"""All that a model writes where the sources do not answer."""

RULES = {
    "en": f"Answer only from the sources. Keep every number, rate and date exactly as written there. After each sentence name "
    f"its source as [1]. Do not begin with yes or no. If the sources do not answer, write {NO_ANSWER} and nothing else.",
    "zh": f"只根据资料回答；数字、利率和日期必须与资料完全一致；每句话后用 [1] 的形式注明资料编号；"
    f"不要以“是”或“不是”开头。资料中没有答案时，只写 {NO_ANSWER}。",
}
"""By language; another language's conversation gets the English ones."""

_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False)


class ChatMessage(NamedTuple):
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an answer is written from. A generator that needs no prompt text (extraction) takes question and passages."""

    tenant: TenantId
    language: str
    system: str
    examples: tuple[tuple[str, str], ...]
    #: Oldest first, without the question.
    history: tuple[HistoryTurn, ...]
    question: str
    #: Best first.
    passages: tuple[Passage, ...]
    max_tokens: int
    model: str | None
    adapter: str | None
    seed: int
    #: What the customer asked before, oldest first, where the question is a follow-up.
    before: tuple[str, ...] = ()


def without_control(messages: Sequence[ChatMessage], control: Collection[str]) -> tuple[ChatMessage, ...]:
    """With each of the model's control tokens that a text spells out taken apart: what a person or an article writes is never structure.

    `control`: their spellings, such as `<|im_end|>`.
    """
    if not any(token in message.content for message in messages for token in control):
        return tuple(messages)
    longest_first = sorted(control, key=len, reverse=True)
    spelt = re.compile("|".join(map(re.escape, longest_first)))
    return tuple(
        message._replace(content=spelt.sub(lambda found: f"{found[0][0]} {found[0][1:]}", message.content))
        for message in messages
    )


def messages_of(prompt: Prompt) -> tuple[ChatMessage, ...]:
    """System, examples, history, and the question below its sources, which are numbered from 1 in the order of `prompt.passages`."""
    return (
        ChatMessage("system", f"{prompt.system}\n\n{RULES.get(prompt.language, RULES['en'])}"),
        *(message for example in prompt.examples for message in _shown(*example)),
        *(_said(turn) for turn in prompt.history),
        ChatMessage("user", f"<sources>\n{_sources(prompt.passages)}\n</sources>\n\n{prompt.question}"),
    )


def hash_of(messages: Sequence[ChatMessage]) -> str:
    """SHA-256 of what was asked, 64 hexadecimal digits: answers to the same prompt carry the same."""
    said = [message._asdict() for message in messages]
    return hashlib.sha256(_JSON.encode(said).encode("utf-8", "surrogatepass")).hexdigest()


def shortened(prompt: Prompt, tokens: int, count: Callable[[tuple[ChatMessage, ...]], int]) -> Prompt:
    """The prompt with as little left out as it takes for its messages to have at most so many tokens, as `count` counts them.

    Left out is, in this order: the history from its oldest turn on, the examples from the last to the first, the passages from the
    worst to the second best. What remains keeps its order, so the numbers of the sources hold. Raises `PromptTooLong`, with what
    could not be shortened further. `count` is called about log2(parts) times.
    """

    def fits(dropped: int) -> bool:
        return count(messages_of(_without(prompt, dropped))) <= tokens

    most = len(prompt.history) + len(prompt.examples) + max(0, len(prompt.passages) - 1)
    dropped = bisect_left(range(most + 1), True, key=fits)
    if dropped > most:
        raise PromptTooLong(count(messages_of(_without(prompt, most))), tokens)
    return _without(prompt, dropped)


def _without(prompt: Prompt, dropped: int) -> Prompt:
    turns = min(dropped, len(prompt.history))
    examples = min(dropped - turns, len(prompt.examples))
    passages = dropped - turns - examples
    return replace(
        prompt,
        history=prompt.history[turns:],
        examples=prompt.examples[: len(prompt.examples) - examples],
        passages=prompt.passages[: len(prompt.passages) - passages],
    )


def _shown(question: str, answer: str) -> tuple[ChatMessage, ChatMessage]:
    return ChatMessage("user", question), ChatMessage("assistant", answer)


def _said(turn: HistoryTurn) -> ChatMessage:
    return ChatMessage("user" if turn.speaker == "customer" else "assistant", turn.text)


def _sources(passages: Sequence[Passage]) -> str:
    return "\n\n".join(
        f"[{number}] {' › '.join((passage.title, *passage.path))}\n{passage.text}"
        for number, passage in enumerate(passages, start=1)
    )
