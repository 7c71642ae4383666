"""The assignment worker, a decider: which human agent takes a waiting conversation. Its key is the tenant."""

from dataclasses import dataclass, replace

from parley.domain.deciding import Decision
from parley.domain.events import follow
from schemas.base import AnyEvent, Body, Envelope, Event
from schemas.conversation_events import AssignmentFailed, AssignmentMade, MessageFailed
from schemas.other_events import PresenceChanged, QueueJoined, QueueLeft
from schemas.tenant import TenantConfig
from schemas.topics import ASSIGNMENT_EVENTS, Topic


@dataclass(frozen=True, slots=True)
class Desk:
    """A human agent who is present. `taken` counts the conversations given to him or her while present."""

    human_agent_id: str
    human_agent_name: str
    capacity: int
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Desks:
    """Everybody present for one tenant, in the order they came."""

    desks: tuple[Desk, ...] = ()

    def free(self) -> Desk | None:
        """Whoever has the most room, the earliest to come among equals."""
        room = [desk for desk in self.desks if desk.taken < desk.capacity]
        return max(room, key=lambda desk: desk.capacity - desk.taken, default=None)


class AssignmentDecider:
    """Implements `parley.domain.deciding.Decider`. Nobody is present until a console says so: then it says just that."""

    name = "assignment"
    topic: Topic = ASSIGNMENT_EVENTS
    state_type = Desks
    state_is_sealed = False

    def key(self, envelope: Envelope) -> str:
        return envelope.tenant

    def handle(self, state: Desks | None, event: AnyEvent, tenant: TenantConfig) -> Decision[Desks]:
        desks = state or Desks()
        match event.body:
            case PresenceChanged() as presence:
                return Decision(_present(desks, presence))
            case QueueJoined() as joined:
                return _assign(desks, event, joined)
            case QueueLeft():
                return Decision(desks)
        raise TypeError(f"{event.envelope.type} does not belong to {self.topic.name}")

    def settle_failed(
        self, state: Desks | None, event: Event[MessageFailed], tenant: TenantConfig
    ) -> Decision[Desks]:
        return Decision(state or Desks())


def _present(desks: Desks, presence: PresenceChanged) -> Desks:
    others = tuple(desk for desk in desks.desks if desk.human_agent_id != presence.human_agent_id)
    if presence.capacity == 0:
        return Desks(others)
    return Desks((*others, Desk(presence.human_agent_id, presence.human_agent_name, presence.capacity)))


def _assign(desks: Desks, event: AnyEvent, joined: QueueJoined) -> Decision[Desks]:
    desk = desks.free()
    if desk is None:
        reason = "queue_full" if desks.desks else ("nobody_present" if joined.open_now else "outside_hours")
        failed: Body = AssignmentFailed.model_validate({"reason": reason})
        return Decision(desks, [follow(event.envelope, failed, 0)])
    made = AssignmentMade(human_agent_id=desk.human_agent_id, human_agent_name=desk.human_agent_name)
    taken = tuple(replace(each, taken=each.taken + 1) if each is desk else each for each in desks.desks)
    return Decision(Desks(taken), [follow(event.envelope, made, 0)])
