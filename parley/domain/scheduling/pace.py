"""How long a completion takes of late: seconds for each output token, and how much of its limit an output uses."""

MEMORY = 64
"""Completions after which what one of them told has faded to 1/e: about a second of a full engine."""


class Pace:
    """Exponentially weighted sums, whose ratios are the means: a short output, most of whose time is its prompt's, weighs little."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._tokens = 0.0
        self._limits = 0.0

    def learn(self, seconds: float, tokens: int, max_tokens: int) -> None:
        """A completion took so long from admission to its end. One without output tells nothing."""
        if tokens <= 0:
            return
        keep = 1.0 - 1.0 / MEMORY
        self._seconds = keep * self._seconds + seconds
        self._tokens = keep * self._tokens + tokens
        self._limits = keep * self._limits + max_tokens

    def expected_s(self, max_tokens: int) -> float:
        """Seconds from admission to the end; 0.0 as long as nothing is known."""
        if self._tokens <= 0.0:
            return 0.0
        return self._seconds / self._tokens * max_tokens * min(1.0, self._tokens / self._limits)
