"""The OpenAI API in and out, without the connection: bodies of requests, pieces from server-sent events, and refusals by class.

vLLM's own fields and messages were read in release 0.32.0, those of the OpenAI API in its reference, those of llama.cpp's server in its README.
No error quotes a server's message about a request, since it may quote the customer's text.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from parley.backends.completion_requests import check_request
from parley.errors import GeneratorUnavailable, ParleyError, PromptTooLong, RequestRefused, UnknownAdapter
from parley.ports.engine import CompletionRequest, Finish, Piece

RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
FINISH: Mapping[str, Finish] = {"length": "length", "max_tokens": "length", "abort": "abort"}
"""By the server's word; every other one is an end that the model chose."""

TOO_LONG = (
    re.compile(
        r"maximum context length is (?P<context>\d+) tokens.*contains (?:at least )?(?P<prompt>\d+) input",
        re.S,
    ),
    re.compile(
        r"maximum context length is (?P<context>\d+) tokens.*upper bound for (?P<below>\d+) input", re.S
    ),
    re.compile(
        r"maximum context length is (?P<context>\d+) tokens.*(?:resulted in|requested) (?P<prompt>\d+) tokens",
        re.S,
    ),
    re.compile(r"Input length \((?P<prompt>\d+)\) exceeds.*context length \((?P<context>\d+)\)", re.S),
)
"""What servers say of a prompt that is too long. vLLM stops counting at one more than fit, and does not count at all where the characters are too many."""
NO_ROOM = "max_tokens must be at least 1"
"""What vLLM says of a prompt that fills the context to the last token."""


@dataclass(frozen=True, slots=True)
class ServerExtras:
    """What a server understands beyond the OpenAI API."""

    #: vLLM's fields: token ids in the answer, `ignore_eos`.
    vllm: bool = False
    #: vLLM's `cache_salt`; None: where the server's list of models says that it is vLLM. Others may refuse a field that they do not know.
    salt: bool | None = None
    #: It was started with `--scheduling-policy priority`; vLLM refuses priorities otherwise.
    priority: bool = False
    #: Adapters that it loads when told to (`VLLM_ALLOW_RUNTIME_LORA_UPDATING=1`, its `--max-loras`, `--max-cpu-loras` and `--max-lora-rank`), from
    #: folders that it sees under the same paths. 0: it is told of none, and knows those by name that it was started with.
    slots: int = 0
    held: int = 0
    max_rank: int = 0


def path_of(request: CompletionRequest) -> str:
    """Token ids are no chat."""
    return "chat/completions" if request.prompt_token_ids is None else "completions"


def body_of(request: CompletionRequest, model: str, context_tokens: int, extras: ServerExtras) -> bytes:
    """Raises `RequestRefused` for what this server cannot be asked."""
    check_request(request)
    body: dict[str, Any] = {
        "model": request.adapter or model,
        "stream": True,
        "stream_options": {"include_usage": True},
        # vLLM cuts what the context has no room for beside the prompt, but refuses more than the whole context.
        "max_tokens": min(request.max_tokens, context_tokens),
        "temperature": request.temperature,
    }
    if request.prompt_token_ids is None:
        body |= {"messages": [message._asdict() for message in request.messages]}
        body |= {"logprobs": True} if request.logprobs else {}
    else:
        body |= {"prompt": request.prompt_token_ids}
        body |= {"logprobs": 1} if request.logprobs else {}
    if request.seed is not None:
        body["seed"] = request.seed
    if stop := [each for each in request.stop if each]:
        body["stop"] = stop
    body |= _beyond(request, extras)
    # Lone surrogates can stand in a Python text and in no UTF-8.
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _beyond(request: CompletionRequest, extras: ServerExtras) -> dict[str, Any]:
    if request.ignore_eos and not extras.vllm:
        raise RequestRefused("ignore_eos: only a vLLM server can be asked to write on beyond the end")
    fields: dict[str, Any] = {}
    if extras.vllm:
        fields |= {"return_token_ids": True, "ignore_eos": request.ignore_eos}
    if extras.salt and request.cache_salt:
        # Any text of ours; vLLM's server takes 128 characters at most, without / and @.
        fields["cache_salt"] = hashlib.sha256(request.cache_salt.encode("utf-8", "replace")).hexdigest()
    if extras.priority:
        fields["priority"] = request.priority
    return fields


class Reading:
    """The pieces of one completion, from the events of its stream."""

    def __init__(self) -> None:
        self._finish: Finish | None = None
        self._prompt_tokens = 0
        self._completion_tokens = 0

    def take(self, event: Mapping[str, Any]) -> Piece | None:
        """What this event says; None for nothing. Raises as `refusal` for an error that comes within the stream."""
        if "error" in event:
            error = event["error"]
            status = error.get("code") if isinstance(error, dict) else None
            raise refusal(status if isinstance(status, int) else 500, event, None)
        usage = event.get("usage") or {}
        self._prompt_tokens = usage.get("prompt_tokens") or self._prompt_tokens
        self._completion_tokens = usage.get("completion_tokens") or self._completion_tokens
        for choice in event.get("choices") or ():  # one was asked for
            if finish := choice.get("finish_reason"):
                if finish == "error":  # vLLM's word for a completion that it gave up
                    raise GeneratorUnavailable("model server: it gave the completion up")
                self._finish = FINISH.get(finish, "stop")
            return _piece(choice)
        return None

    def end(self) -> Piece:
        """The last piece. Raises `GeneratorUnavailable` for a stream that broke off."""
        if self._finish is None:
            raise GeneratorUnavailable("model server: the stream ended before the completion did")
        return Piece(
            "",
            finish=self._finish,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
        )


def _piece(choice: Mapping[str, Any]) -> Piece | None:
    text = (choice.get("delta") or {}).get("content") or choice.get("text") or ""
    ids = tuple(choice.get("token_ids") or ())
    told = choice.get("logprobs") or {}
    logprobs = tuple(told.get("token_logprobs") or (each["logprob"] for each in told.get("content") or ()))
    return Piece(text, ids, logprobs) if text or ids or logprobs else None


async def events(lines: AsyncIterable[str]) -> AsyncIterator[dict[str, Any]]:
    """The server-sent events of a completion, to `[DONE]` or the stream's end. Raises `GeneratorUnavailable` for what is not one."""
    async for line in lines:
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        event = parsed(data)
        if not event:
            raise GeneratorUnavailable("model server: an event that is no JSON object")
        yield event


def parsed(text: str | bytes) -> dict[str, Any]:
    """The JSON object; empty for what is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refusal(
    status: int, body: Mapping[str, Any], adapter: str | None, context_tokens: int = 0
) -> ParleyError:
    """What a status from 400 on means: `GeneratorUnavailable` for one that may pass, else `RequestRefused`."""
    if status in RETRY_STATUS or status > 500:
        return GeneratorUnavailable(f"model server: HTTP {status}")
    if status == 404 and adapter is not None:
        return UnknownAdapter(f"{adapter}: the model server knows no such adapter")
    return _too_long(body, context_tokens) or RequestRefused(f"model server: HTTP {status}{_kind(body)}")


def message_of(body: Mapping[str, Any]) -> str:
    """What the server says of an error; empty where it says nothing."""
    error = body.get("error")
    said = (
        error.get("message")
        if isinstance(error, dict)
        else error or body.get("message") or body.get("detail")
    )
    return said if isinstance(said, str) else ""


def _too_long(body: Mapping[str, Any], context_tokens: int) -> PromptTooLong | None:
    error = body.get("error")
    if isinstance(error, dict) and isinstance(error.get("n_prompt_tokens"), int) and "n_ctx" in error:
        return PromptTooLong(error["n_prompt_tokens"], error["n_ctx"])
    message = message_of(body)
    for pattern in TOO_LONG:
        if found := pattern.search(message):
            numbers = found.groupdict()
            prompt = int(numbers["prompt"]) if "prompt" in numbers else int(numbers["below"]) + 1
            return PromptTooLong(prompt, int(numbers["context"]))
    return PromptTooLong(context_tokens, context_tokens) if message.startswith(NO_ROOM) else None


def _kind(body: Mapping[str, Any]) -> str:
    """The error's type, where it is a word: words of the server's own, never of a request."""
    error = body.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    return f" ({kind})" if isinstance(kind, str) and re.fullmatch(r"\w{1,40}", kind) else ""
