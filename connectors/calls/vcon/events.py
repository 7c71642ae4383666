"""What a vCon tells besides talk: who joined, held and left, transfers, calls that came to nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.calls.fields import Object, moment, objects, placed, text_at
from connectors.calls.timeline import since
from connectors.calls.transcript import CallEvent, EventKind
from connectors.calls.vcon.parties import index, indices

#: The history's own words; keys pressed (`keydown`, `keyup`) may be a PIN and are left out.
HISTORY: dict[str, EventKind] = {
    "join": "joined",
    "drop": "hang_up",
    "hold": "hold",
    "unhold": "resumed",
    "mute": "muted",
    "unmute": "unmuted",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """An event with the clock's time, None where the vCon has none."""

    kind: EventKind
    when: datetime | None
    party: int | None = None
    to: tuple[int, ...] = ()
    detail: str = ""

    def on(self, begin: datetime | None) -> CallEvent:
        at_ms = 0 if begin is None or self.when is None else since(begin, self.when, self.kind)
        return CallEvent(self.kind, at_ms, self.party, self.to, self.detail)


def happened(dialog: Object, at: str, parties: int, dialogs: int) -> Iterator[Happened]:
    """All events of one dialog. Raises `TranscriptRefused` for a party or a dialog that is not there."""
    start = moment(dialog.get("start"), placed(at, "start"))
    kind = dialog.get("type")
    if kind == "transfer":
        _check_transfer(dialog, at, parties, dialogs)
        yield _transfer(dialog, at, start, parties)
    elif kind == "incomplete":
        disposition = text_at(dialog, "disposition", at)[:40]
        yield Happened("hang_up" if disposition == "hung-up" else "incomplete", start, detail=disposition)
    for where, entry in objects(dialog.get("party_history"), placed(at, "party_history")):
        if (event := HISTORY.get(text_at(entry, "event", where))) is not None:
            who = index(entry.get("party"), placed(where, "party"), parties, "parties")
            yield Happened(event, moment(entry.get("time"), placed(where, "time")), who)


def _check_transfer(dialog: Object, at: str, parties: int, dialogs: int) -> None:
    """What is not used is true, too: a transfer that leads nowhere is a file that lacks something."""
    indices(dialog.get("transferor"), placed(at, "transferor"), parties, "parties")
    for name in ("original", "consultation", "target_dialog"):
        indices(dialog.get(name), placed(at, name), dialogs, "dialog")


def _transfer(dialog: Object, at: str, start: datetime | None, parties: int) -> Happened:
    who = indices(dialog.get("transferee"), placed(at, "transferee"), parties, "parties")
    to = indices(dialog.get("transfer_target"), placed(at, "transfer_target"), parties, "parties")
    return Happened(
        "transfer", start, who[0] if who else None, tuple(each for each in to if each is not None)
    )
