"""Messages that are files without a word. Nothing here can look at one: the customer is told so, once for those that come together."""

from datetime import timedelta

from parley.domain.conversation import FilesAnswered, TurnMessage
from schemas.base import ReplyId
from workers.dialogue.moves import Moves, follow_id

CANNED = "attachment"
"""The tenant's own text for it, which it need not have."""
TOGETHER = timedelta(seconds=60)
"""Files that come so soon after the last one are answered by the same reply: an album is one message to whoever sends it."""

TEXTS = {
    "en": "I have received your file. I cannot look at files myself: please tell me in words what you need, or ask for a human agent, who will see it.",
    "zh": "您的文件已收到。我无法查看文件内容，请用文字说明您的需要；如需请人工客服查看，请告诉我“转人工”。",
}


def is_file(message: TurnMessage) -> bool:
    return not message.text


def answer_files(moves: Moves, files: tuple[TurnMessage, ...]) -> None:
    """Settles them; a turn that runs meanwhile goes on."""
    if not files:
        return
    ids = tuple(message.message_id for message in files)
    earlier = moves.state.files_answered
    if earlier is not None and moves.at - earlier.last_at <= TOGETHER:
        reply_id = earlier.reply_id
        moves.settle(ids, "merged", reply_id)
    else:
        language = moves.state.language
        reply_id = moves.reply(
            "canned",
            _text(moves, language),
            ids,
            language=language,
            offer_human=True,
            reply_id=ReplyId(follow_id(moves.event, "attachment")),
        )
        moves.settle(ids, "answered", reply_id)
    moves.set(files_answered=FilesAnswered(reply_id, moves.at))


def is_worded(moves: Moves, album: str | None) -> bool:
    """Whether the file's album came with words: what those are answered stands for all of it."""
    return album is not None and album == moves.state.worded_album


def take_files(moves: Moves) -> tuple[TurnMessage, ...]:
    """Those among the messages that waited for the running turn; they wait no longer."""
    files = tuple(message for message in moves.state.later if is_file(message))
    moves.set(later=tuple(message for message in moves.state.later if not is_file(message)))
    return files


def _text(moves: Moves, language: str) -> str:
    if CANNED in moves.tenant.canned:
        return moves.tenant.text(CANNED, language)
    return TEXTS.get(language.partition("-")[0], TEXTS["en"])
