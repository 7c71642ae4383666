"""Stop strings: a text that comes in pieces ends before the one that is complete first, wherever the pieces are cut."""

from collections.abc import Sequence


class Stopping:
    """Of one completion. Where no stop string can begin, nothing is held back."""

    def __init__(self, stop: Sequence[str]) -> None:
        """An empty stop string stands for none."""
        self._stop = tuple(each for each in stop if each)
        self._held = ""
        #: A stop string has come: the text is over.
        self.stopped = False

    def take(self, piece: str) -> str:
        """What of the text is clear now that this piece has come."""
        if self.stopped:
            return ""
        text = self._held + piece
        found = [(at + len(each), at) for each in self._stop if (at := text.find(each)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)[1]]
        clear = len(text) - max((_begun(text, each) for each in self._stop), default=0)
        self._held = text[clear:]
        return text[:clear]

    def finish(self) -> str:
        """What was held back, and was no stop string after all."""
        held, self._held = self._held, ""
        return held


def _begun(text: str, stop: str) -> int:
    """So many characters at the text's end are a beginning of the stop string."""
    longest = min(len(text), len(stop) - 1)
    return next((length for length in range(longest, 0, -1) if text.endswith(stop[:length])), 0)
