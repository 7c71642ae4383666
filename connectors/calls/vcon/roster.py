"""The parties of a vCon that is written, in the order in which they come up. Whoever does not come up is not among them."""

from connectors.calls.fields import Object

CUSTOMER = 0
"""The customer's place: the first, whoever else takes part."""
UNKNOWN = "unknown"
"""What the platform calls a human agent of whom it knows no id or name: then the party has none."""


class Roster:
    """`bot` is what the tenant calls its assistant, `org` the tenant's own name."""

    def __init__(self, customer_id: str, bot: str, org: str) -> None:
        self.parties: list[Object] = [{"uuid": customer_id, "role": "customer"}]
        self._bot = bot
        self._org = org
        self._places: dict[tuple[str, ...], int] = {}

    def bot(self) -> int:
        return self._place(("bot",), {"name": self._bot, "role": "bot", "org": self._org})

    def queue(self) -> int:
        """Where conversations wait: it never speaks, and is handed over to and from."""
        return self._place(("queue",), {"name": "Queue", "role": "system", "org": self._org})

    def human_agent(self, human_agent_id: str | None, name: str | None) -> int:
        """Several people may speak under one id, as where a call's file names them and the platform does not know them.

        Then the id is the first one's alone.
        """
        human_agent_id = None if human_agent_id == UNKNOWN else human_agent_id
        name = None if name == UNKNOWN else name
        known = ("human_agent", human_agent_id or "")
        if name is None and known in self._places:
            return self._places[known]
        named = (*known, name or "")
        party: Object = {"name": name} if name else {}
        # of a finished call, what its file names somebody is all the id there is
        if human_agent_id and human_agent_id != name and known not in self._places:
            party["uuid"] = human_agent_id
        place = self._place(named, {**party, "role": "agent", "org": self._org})
        self._places.setdefault(known, place)
        return place

    def _place(self, who: tuple[str, ...], party: Object) -> int:
        if who not in self._places:
            self._places[who] = len(self.parties)
            self.parties.append(party)
        return self._places[who]
