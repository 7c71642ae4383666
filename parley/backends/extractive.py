"""The generator that needs no model: it quotes the passages (`parley.domain.extraction`)."""

from collections.abc import Callable

from parley.domain.extraction import extract
from parley.ports.models import Completion, Prompt

NAME = "extractive-1"


class ExtractiveGenerator:
    """Implements `parley.ports.models.Generator`; thread-safe, since it keeps nothing."""

    def generate(
        self,
        prompt: Prompt,
        *,
        on_text: Callable[[str], None],
        cancelled: Callable[[], bool],
        timeout_s: float,
    ) -> Completion | None:
        found = extract(prompt.question, prompt.passages, prompt.before)
        if found is None or cancelled():
            return None
        on_text(found.text)
        return Completion(text=found.text, cited=found.cited, model=NAME)

    def close(self) -> None:
        """Nothing is open."""
