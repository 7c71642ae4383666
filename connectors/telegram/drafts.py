"""What a customer sees while an answer is being written: `typing`, and the text as far as it is, as Telegram's message drafts.

A draft is shown for a while and is no message (Bot API, `sendMessageDraft`; private chats alone). It follows one attempt of one generation at the
highest epoch, without a gap, as the web chat does; anything else takes it back: an empty draft stands for "thinking". A server that has no drafts is shown a message, which is edited every
few seconds and is the kit's (`connectors.kit.previews`). Nothing depends on what is shown here.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

from connectors.kit.channel import Gone, NotSent, Refused, Unsure
from parley.runtime.faults import describe
from schemas.base import AnyEvent, ConversationId, GenerationId
from schemas.outbound import (
    AgentMessage,
    Closed,
    CustomerMessage,
    Outbound,
    OwnerChanged,
    ReplyDelta,
    ReplyReady,
)

log = logging.getLogger(__name__)

DRAFT_EVERY_S = 1.0
"""Drafts share the limits of messages: one a second in a chat."""
EDIT_EVERY_S = 3.0
"""And a message that is edited, where there are no drafts: Telegram counts edits with the rest and allows about twenty a minute."""
LOOK_EVERY_S = 0.2
TYPING_EVERY_S = 4.0
TYPING_MOST_S = 60.0
"""Telegram shows `typing` for 5 seconds; a message has its answer, or an apology, within a minute."""
DRAFT_LASTS_S = 30.0
"""Telegram shows a draft no longer than that (Bot API, `sendMessageDraft`): so long it is tried to take it back."""
REMEMBERED = 10_000


@dataclass(slots=True)
class Draft:
    """One chat's text in the making. `epoch` is the highest that was seen; `attempt` None: nothing is followed."""

    epoch: int = 0
    attempt: str | None = None
    generation: str = ""
    text: str = ""
    index: int = -1
    #: Generations of which nothing more is shown.
    over: set[str] = field(default_factory=set)

    def follow(self, event: AnyEvent) -> None:
        body = event.body
        if isinstance(body, ReplyDelta):
            self._delta(body)
        elif isinstance(body, Outbound):
            ends = isinstance(body, ReplyReady | AgentMessage | Closed) or body.epoch > self.epoch
            self.epoch = max(self.epoch, body.epoch)
            if ends:
                self.end()
            if isinstance(body, ReplyReady) and body.generation_id is not None:
                self.over.add(body.generation_id)  # its pieces may come later than it does

    def end(self) -> None:
        if self.generation:
            self.over = {self.generation}
        self.attempt, self.generation, self.text, self.index = None, "", "", -1

    def _delta(self, body: ReplyDelta) -> None:
        if body.epoch < self.epoch or body.generation_id in self.over:
            return
        if body.epoch > self.epoch:
            self.epoch = body.epoch
            self.end()
        if self.attempt is None and body.index == 0:
            self.attempt, self.generation = body.attempt, body.generation_id
        if body.attempt != self.attempt or body.index <= self.index:
            return
        if body.index != self.index + 1:  # a piece was lost: what comes is not shown any more
            self.end()
            self.over = {body.generation_id}
            return
        self.index = body.index
        self.text += body.text


class Showing:
    """One chat. `typing` and `draft` call Telegram; `begin` and `go_on` are as `connectors.kit.channel.Previewing`'s, for where there are no
    drafts. `draft` and `go_on` tell whether it is shown; False: there is no room just now.
    """

    def __init__(
        self,
        typing: Callable[[], Awaitable[object]],
        draft: Callable[[str], Awaitable[bool]],
        begin: Callable[[GenerationId, str], Awaitable[str | None]],
        go_on: Callable[[GenerationId, str, str], Awaitable[bool]],
    ) -> None:
        self._typing = typing
        self._draft = draft
        self._begin_message = begin
        self._go_on = go_on
        self._state = Draft()
        self._task: asyncio.Task[None] | None = None
        self._has_drafts = True
        #: The draft, or the message, as it was shown last; which generation's the message is, and Telegram's name for it.
        self._shown = ""
        self._message: tuple[str, str] | None = None
        self._until = 0.0
        #: The bot has the conversation, as far as is known: nobody types for a human.
        self._bots = True

    def notice(self, event: AnyEvent) -> None:
        body = event.body
        self._state.follow(event)
        if isinstance(body, OwnerChanged):
            self._bots = body.owner == "bot"
        if isinstance(body, CustomerMessage) and self._bots:
            self._begin()
        elif isinstance(body, OwnerChanged | Closed) and self._shown and self._has_drafts:
            self._until = monotonic()  # the loop takes back what it has shown, and ends
        elif isinstance(body, ReplyReady | AgentMessage | Closed | OwnerChanged):
            self.stop()

    def stop(self) -> None:
        self._until = 0.0
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _begin(self) -> None:
        self._until = monotonic() + TYPING_MOST_S
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._show())

    async def _show(self) -> None:
        """Says `typing` until there is a text, and then the text as it grows; a draft that stands at the end is taken back."""
        typed = -TYPING_EVERY_S
        wait_s = 0.0
        try:
            while (now := monotonic()) < self._until or self._stands(now):
                text = self._state.text if now < self._until else ""
                wait_s = LOOK_EVERY_S
                try:
                    if text != self._shown:
                        wait_s = await self._put(text)
                    elif not text and now - typed >= TYPING_EVERY_S:
                        typed = now
                        await self._typing()
                except NotSent as error:
                    wait_s = max(error.retry_after_s or 0.0, DRAFT_EVERY_S)
                await asyncio.sleep(wait_s)
        except Exception as error:  # the answer itself comes all the same
            log.info("telegram: nothing is shown while an answer is written: %s", describe(error))
        finally:
            self._state.end()
            self._shown, self._message = "", None

    def _stands(self, now: float) -> bool:
        """Whether a draft is to be taken back, as long as Telegram shows it."""
        return bool(self._shown) and self._has_drafts and now < self._until + DRAFT_LASTS_S

    async def _put(self, text: str) -> float:
        """Seconds until the next time. An empty text takes back a draft; a message is taken back by the kit."""
        if self._has_drafts:
            try:
                if not await self._draft(text):
                    return LOOK_EVERY_S
            except Gone:
                raise
            except Refused:
                self._has_drafts = False
            except Unsure as error:  # to show it again does no harm
                raise NotSent(str(error)) from error
            else:
                self._shown = text
                return DRAFT_EVERY_S
        generation = GenerationId(self._state.generation)
        if not text:
            self._shown, self._message = "", None
            return LOOK_EVERY_S
        if self._message is None or self._message[0] != generation:
            place = await self._begin_message(generation, text)
            self._message = (generation, place) if place is not None else None
        elif not await self._go_on(generation, self._message[1], text):
            return LOOK_EVERY_S
        self._shown = text if self._message is not None else ""
        return EDIT_EVERY_S


class Showings:
    """Every chat that something is shown in, by its conversation; those that were quiet for longest are forgotten first."""

    def __init__(self) -> None:
        self._chats: OrderedDict[ConversationId, Showing] = OrderedDict()

    def of(self, conversation: ConversationId, make: Callable[[], Showing]) -> Showing:
        found = self._chats.pop(conversation, None) or make()
        self._chats[conversation] = found
        if len(self._chats) > REMEMBERED:
            self._chats.popitem(last=False)[1].stop()
        return found

    def close(self) -> None:
        for each in self._chats.values():
            each.stop()
        self._chats.clear()
