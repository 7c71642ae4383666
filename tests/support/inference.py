"""An inference worker on a scripted engine, in a thread, and what became of the requests that were sent to it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import count
from threading import Event as Flag
from threading import Thread
from typing import Any, TypeVar

from parley.domain.scheduling import Limits
from schemas.base import AnyEvent, ConversationId, Event, GenerationId, MessageId, TenantId
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated
from schemas.parts import Purpose
from schemas.topics import INFERENCE_REQUESTS
from schemas.work import GenerationRequested
from tests.support.platform import events_on
from tests.support.scripted_engine import ScriptedEngine
from tests.support.stories import PASSAGE, event
from workers.inference.cancelling import Cancellations
from workers.inference.metrics import InferenceMetrics
from workers.inference.worker import InferenceWorker
from workers.inference.writing import Capacity, EngineWriter, Writer
from workers.wiring import Platform, Runner
from workers.writers import cache_salt

R = TypeVar("R", bound=Runner)

WITHIN_S = 10.0


def generation(
    number: int,
    *,
    tenant: str | None = None,
    purpose: Purpose = "reply",
    deadline_s: float = 60,
    on: Platform,
    adapter: str | None = None,
    epoch: int = 1,
) -> AnyEvent:
    """A request for generation `g-<number>`, asked now by the platform's clock."""
    body = GenerationRequested(
        generation_id=GenerationId(f"{number:032x}"),
        purpose=purpose,
        message_ids=(MessageId(f"m-{number}"),),
        question=f"What does it cost? ({number})",
        language="en",
        epoch=epoch,
        deadline=on.clock.now() + timedelta(seconds=deadline_s),
        passages=(PASSAGE,),
        adapter=adapter,
    )
    made = event(body, number, at=on.clock.now(), conversation=f"c-{number}")
    if tenant is None:
        return made
    return Event(made.envelope.model_copy(update={"tenant": TenantId(tenant)}), body)


def make_worker(
    on: Platform,
    engine: ScriptedEngine,
    *,
    writer: Writer | None = None,
    in_flight: int = 0,
    cancellations: Cancellations | None = None,
    drain_s: float = 5.0,
    urgent_s: float = 0.05,
    forget_every_s: float = 60.0,
    suspends: bool = False,
) -> InferenceWorker:
    def limits(capacity: Capacity) -> Limits:
        room = in_flight or capacity.running
        return Limits(
            slots=capacity.slots,
            held=max(capacity.held - 1, capacity.slots),
            in_flight=room,
            per_tenant=room,
            hold_s=0.02,
            urgent_s=urgent_s,
            suspends=suspends,
            worth_s=0.0,
        )

    attempts = count(1)
    return InferenceWorker(
        writer or EngineWriter(engine, cache_salt),
        on.bus,
        on.codec,
        on.content,
        on.clock,
        on.metrics,
        InferenceMetrics(on.registry),
        limits=limits,
        read_ahead=1_000,
        new_attempt=lambda: f"a-{next(attempts)}",
        cancellations=cancellations,
        drain_s=drain_s,
        forget_every_s=forget_every_s,
    )


@contextmanager
def running(worker: R, within_s: float = 2 * WITHIN_S) -> Iterator[R]:
    """Stopped at the end, and then it has drained within this time. Raises what ended it."""
    stop = Flag()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            worker.run(stop)
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join(within_s)
    assert not thread.is_alive()
    if failures:
        raise failures[0]


def outcomes(on: Platform) -> dict[int, list[str]]:
    """What became of each generation, every event of it: the adapter that wrote it, `written`, `nothing`, or why it failed."""
    found: dict[int, list[str]] = {}
    for each in events_on(on, "conversation.events"):
        body = each.body
        if isinstance(body, ReplyGenerated):
            said = body.adapter or "written"
        elif isinstance(body, NothingFound):
            said = "nothing"
        elif isinstance(body, GenerationFailed):
            said = body.reason
        else:
            continue
        found.setdefault(int(body.generation_id, 16), []).append(said)
    return found


def bodies(on: Platform, kind: type[Any]) -> list[Any]:
    return [each.body for each in events_on(on, "conversation.events") if isinstance(each.body, kind)]


def lag(on: Platform, group_name: str = "inference", topic: str = INFERENCE_REQUESTS.name) -> int:
    """Records that the group has not committed."""
    with (
        closing(on.bus.reader([topic])) as reader,
        closing(on.bus.consumer(group_name, [])) as group,
    ):
        ends = reader.end_offsets(reader.assignment())
        return sum(end - (group.committed(partition) or 0) for partition, end in ends.items())


def conversation(number: int) -> ConversationId:
    return ConversationId(f"c-{number}")
