"""Reads what a model writes, piece by piece as it comes: source marks such as `[1]` become citations and never reach the customer.

What says that there is no answer (`parley.domain.prompting.NO_ANSWER`) does not reach the customer either: the beginning of a text is
held back as long as it may turn out to say that.
"""

import re

from parley.domain.prompting import NO_ANSWER

SOURCE_MARK = re.compile(r"\s?\[(\d{1,2})\]")
OPEN_MARK = re.compile(r"\s?\[\d{0,2}$|\s$")
"""The end of a piece that might become a mark with the next one: held back until it is clear."""
LONGEST_OPEN_MARK = len(" [12\n")


class Answer:
    """Collects one completion. However its text is cut into pieces, the same text and marks come of it."""

    def __init__(self) -> None:
        #: Numbers of the sources, in the order of their first use.
        self.marks: list[int] = []
        self._held = ""
        self._space = ""
        self._passed: list[str] = []

    @property
    def text(self) -> str:
        """All that `take` and `finish` returned; whole, and empty where there is no answer, once `finish` was called."""
        return "".join(self._passed)

    def take(self, piece: str) -> str:
        """What may be passed on now that this piece has come; empty for nothing yet."""
        self._held += piece
        if self._may_deny():
            return ""
        unclear = OPEN_MARK.search(self._held, max(0, len(self._held) - LONGEST_OPEN_MARK))
        return self._release(unclear.start() if unclear is not None else len(self._held))

    def finish(self) -> str:
        """What was held back until now that nothing more comes."""
        if not self._passed and self._begun().startswith(NO_ANSWER):
            self._held = ""
        return self._release(len(self._held))

    def _may_deny(self) -> bool:
        """Could what is held still turn out to say that there is no answer?"""
        if self._passed:
            return False
        begun = self._begun()
        return NO_ANSWER.startswith(begun) or begun.startswith(NO_ANSWER)

    def _begun(self) -> str:
        """What is held, without marks: a refusal may have one before it."""
        return SOURCE_MARK.sub("", self._held).strip()

    def _release(self, end: int) -> str:
        """Spaces at the text's beginning and end belong to no answer: those within are passed on with the word after them."""
        ready, self._held = self._held[:end], self._held[end:]
        text = self._space + (SOURCE_MARK.sub(self._note, ready) if "[" in ready else ready)
        words = text.rstrip()
        self._space = text[len(words) :]
        if not self._passed:
            words = words.lstrip()
        if words:
            self._passed.append(words)
        return words

    def _note(self, match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in self.marks:
            self.marks.append(number)
        return ""
