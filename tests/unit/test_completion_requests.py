"""What no engine can be asked."""

from typing import Any

import pytest

from parley.backends.completion_requests import check_request
from parley.errors import RequestRefused
from parley.ports.engine import ChatMessage, CompletionRequest

SAID = (ChatMessage("user", "hi"),)


@pytest.mark.parametrize(
    "asked",
    [{"messages": SAID}, {"prompt_token_ids": (1,)}, {"messages": SAID, "temperature": 2.0, "max_tokens": 1}],
)
def test_what_can_be_asked_passes(asked: dict[str, Any]) -> None:
    check_request(CompletionRequest("r", **asked))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "prompt"),
        ({"messages": SAID, "prompt_token_ids": ()}, "prompt"),
        ({"messages": SAID, "max_tokens": 0}, "max_tokens"),
        ({"messages": SAID, "temperature": -0.1}, "temperature"),
        ({"messages": SAID, "temperature": float("nan")}, "temperature"),
    ],
)
def test_what_cannot_is_refused_by_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestRefused, match=field):
        check_request(CompletionRequest("r", **asked))
