"""A bot's updates from when they happen until they are confirmed or delivered; pure."""

from dataclasses import dataclass, field
from random import Random

from tests.telegram_api.errors import Json

#: Sent only to those who ask for them by name.
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass
class Pending:
    update: Json
    #: Where it stands among its neighbours: arrival, or chance within a window.
    place: tuple[int, float]
    #: How often it is still to be delivered.
    copies: int = 1
    #: Polling: it was in an answer. Webhook: it is on its way.
    taken: bool = False
    #: Webhook: attempts so far, and when the next one may be (the clock's seconds).
    attempts: int = 0
    not_before: float = 0.0

    @property
    def update_id(self) -> int:
        return int(self.update["update_id"])


@dataclass
class UpdateQueue:
    next_id: int
    #: None: all but those in ON_REQUEST.
    allowed: frozenset[str] | None = None
    pending: list[Pending] = field(default_factory=list)
    #: Faults: this many of the next updates are delivered twice; order is by chance in windows; none goes out.
    twice: int = 0
    window: int = 0
    chance: Random = field(default_factory=Random)
    held: bool = False

    def add(self, kind: str, content: object) -> int | None:
        """The update's id; None when the bot does not want this kind."""
        if kind in ON_REQUEST if self.allowed is None else kind not in self.allowed:
            return None
        return self.inject({kind: content})

    def inject(self, update: Json) -> int:
        """As it is; without an `update_id` it gets the next."""
        update_id = int(update.get("update_id", self.next_id))
        self.next_id = max(self.next_id, update_id + 1)
        copies = 2 if self.twice else 1
        self.twice = max(self.twice - 1, 0)
        self.pending.append(Pending({**update, "update_id": update_id}, self._place(update_id), copies))
        return update_id

    def reorder(self, window: int, seed: int) -> None:
        self.window, self.chance = window, Random(seed)

    def confirm(self, offset: int) -> None:
        """Drops what stands before `offset`; a negative one counts from the end of the queue."""
        ordered = sorted(self.pending, key=lambda each: each.update_id)
        if offset < 0:
            self.pending = ordered[offset:]
            return
        self.pending = [each for each in ordered if each.update_id >= offset or _again(each)]

    def batch(self, limit: int) -> list[Json]:
        """What a poll gets: the oldest, in their places."""
        if self.held:
            return []
        oldest = sorted(self.pending, key=lambda each: each.update_id)[:limit]
        for each in oldest:
            each.taken = True
        return [each.update for each in sorted(oldest, key=lambda each: each.place)]

    def next_to_post(self, now: float) -> Pending | None:
        """For a webhook; it is taken until `posted`."""
        if self.held:
            return None
        free = [each for each in self.pending if not each.taken and each.not_before <= now]
        found = min(free, key=lambda each: each.place, default=None)
        if found is not None:
            found.taken = True
        return found

    def posted(self, one: Pending) -> None:
        """The webhook has it."""
        if not _again(one):
            self.pending = [each for each in self.pending if each is not one]

    def failed(self, one: Pending, not_before: float) -> None:
        one.taken = False
        one.attempts += 1
        one.not_before = not_before

    def next_at(self) -> float | None:
        """When the earliest of those that failed may be tried again."""
        waiting = [each.not_before for each in self.pending if not each.taken]
        return min(waiting, default=None) if not self.held else None

    def released(self) -> None:
        """The way of delivery has changed: nothing is on its way any more."""
        for each in self.pending:
            each.taken, each.attempts, each.not_before = False, 0, 0.0

    def _place(self, update_id: int) -> tuple[int, float]:
        if self.window < 2:
            return update_id, 0.0
        return update_id - update_id % self.window, self.chance.random()


def _again(one: Pending) -> bool:
    """Confirmed once; whether it is to be delivered once more."""
    if not one.taken or one.copies < 2:
        return False
    one.copies -= 1
    one.taken = False
    return True
