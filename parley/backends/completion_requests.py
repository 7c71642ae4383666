"""What no engine can be asked, whatever it runs on."""

from parley.errors import RequestRefused
from parley.ports.engine import CompletionRequest


def check_request(request: CompletionRequest) -> None:
    """Raises `RequestRefused` naming the field, and what is allowed."""
    if not (request.messages if request.prompt_token_ids is None else request.prompt_token_ids):
        raise RequestRefused("the prompt is empty: give messages or prompt_token_ids")
    if request.written:
        raise RequestRefused("written: this engine does not go on with completions; allowed: none")
    if request.max_tokens < 1:
        raise RequestRefused(f"max_tokens: is {request.max_tokens}; allowed: 1 and more")
    if not 0 <= request.temperature < float("inf"):
        raise RequestRefused(f"temperature: is {request.temperature}; allowed: 0 and more")
