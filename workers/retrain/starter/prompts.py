"""The words between the platform and the model: special tokens, the chat template, passages as sources, and the mark of a source.

Imports nothing of Parley, for machines that have PyTorch and little else; that `question_below` writes what `messages_of`
(`parley.domain.prompting`) writes, and `rendered` what the template renders, is tested.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

END_OF_TEXT, SYSTEM, USER, ASSISTANT, END = SPECIAL = (
    "<|endoftext|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
)
NO_ANSWER = "NO_ANSWER"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('role: ' + message['role'] + ' is not one of system, user, assistant') }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] | replace('<|', '< |') + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""Nothing that a customer or an article says can be a special token: `<|` is taken apart."""

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'A-Z0-9€£$])|(?<=[。！？])\s*")
_ABBREVIATED = re.compile(r"(?:\b(?:[A-Z]|No|Dr|Mr|Mrs|Ms|St|vs|etc|e\.g|i\.e|U\.S|a\.m|p\.m))\.$")
_RULER = re.compile(r"^\|[\s:|-]+\|$")
_LIST_MARK = re.compile(r"^\s*(?:[-*]|\d{1,2}[.)])\s+")
_NO_GAP_AFTER = "。！？"


class Message(NamedTuple):
    role: str
    content: str


class Source(NamedTuple):
    """A passage as the prompt shows it; `path` are the headings above it."""

    title: str
    text: str
    path: tuple[str, ...] = ()


def rendered(messages: Sequence[Message], *, ask: bool) -> str:
    """The prompt as text; with `ask`, up to where the assistant begins to write."""
    parts = [f"<|{role}|>{content.replace('<|', '< |')}{END}" for role, content in messages]
    return "".join([*parts, ASSISTANT] if ask else parts)


def question_below(sources: Sequence[Source], question: str) -> str:
    shown = "\n\n".join(
        f"[{number}] {' › '.join((source.title, *source.path))}\n{source.text}"
        for number, source in enumerate(sources, start=1)
    )
    return f"<sources>\n{shown}\n</sources>\n\n{question}"


def marked(sentence: str, number: int) -> str:
    """With the mark of its source: after a gap, but for Chinese."""
    return f"{sentence}[{number}]" if sentence.endswith(tuple(_NO_GAP_AFTER)) else f"{sentence} [{number}]"


def is_chinese(text: str) -> bool:
    return _CHINESE.search(text) is not None


def quotable(text: str) -> list[str]:
    """What of a passage can be an answer of one sentence: its sentences, list items, and table rows told as `first: second, third.`"""
    found: list[str] = []
    lines = [line.strip() for line in text.split("\n")]
    for at, line in enumerate(lines):
        if line.startswith("|"):
            heads = at + 1 < len(lines) and _RULER.match(lines[at + 1]) is not None
            if not heads and not _RULER.match(line):
                found.append(_told(line))
        elif line and not line.startswith("#"):
            found += sentences(_LIST_MARK.sub("", line))
    return found


def sentences(text: str) -> list[str]:
    found: list[str] = []
    for part in _SENTENCE_END.split(text):
        if found and _ABBREVIATED.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        elif part.strip():
            found.append(part.strip())
    return found


def _told(row: str) -> str:
    first, *rest = [cell.strip() for cell in row.strip("|").split("|")]
    if is_chinese(row):
        return f"{first}：{'，'.join(rest)}。"
    return f"{first}: {', '.join(rest)}."
