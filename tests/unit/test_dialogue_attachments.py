"""Messages with files: what stands beside a text is handed on, what is a file alone has an answer of its own."""

import pytest

from parley.domain.conversation import Conversation
from schemas.base import MessageId
from schemas.conversation_events import ClaimRequested, MessageReceived, ReleaseRequested
from schemas.outbound import CustomerMessage, EpochRaised
from schemas.parts import Attachment
from schemas.work import AnswerRequested, UnderstandingRequested
from tests.support.small_tenant import CONFIG, both
from tests.support.stories import MEI, Story

PHOTO = Attachment(kind="photo", media_type="image/jpeg", digest="a" * 64, bytes=1_000)


def sends_file(story: Story, text: str = "", album: str | None = None) -> MessageId:
    identity = MessageId(f"m-{len(story.log)}")
    story.tell(
        MessageReceived(
            message_id=identity, text=text, channel="telegram", attachments=(PHOTO,), album=album
        ),
        identity,
    )
    return identity


def state(story: Story) -> Conversation:
    assert story.state is not None
    return story.state


def test_a_caption_is_answered_as_any_text_and_the_file_is_shown_to_all() -> None:
    story = Story()
    message = sends_file(story, "What is this fee?")
    story.understood("fees")
    story.generated()
    assert story.settled == {message: "answered"}
    assert [reply.kind for reply in story.replies] == ["answer"]
    [shown] = story.bodies(CustomerMessage)
    assert shown.attachments == (PHOTO,)


def test_a_file_alone_is_answered_honestly_and_once() -> None:
    story = Story()
    message = sends_file(story)
    [reply] = story.replies
    assert reply.kind == "canned" and reply.offer_human and reply.answers == (message,)
    assert "cannot look at files" in reply.text and "human agent" in reply.text
    assert story.settled == {message: "answered"}
    assert story.bodies(UnderstandingRequested) == [] and story.timers == {}


def test_nothing_of_a_file_stands_in_what_prompts_remember() -> None:
    story = Story()
    sends_file(story)
    assert [line.speaker for line in state(story).history] == ["bot"]


def test_the_answer_to_files_is_in_the_conversations_language() -> None:
    story = Story()
    story.says("手续费多少")
    story.understood("fees", language="zh")
    story.generated()
    sends_file(story)
    assert "文件已收到" in story.replies[-1].text and story.replies[-1].language == "zh"


def test_a_tenant_may_have_its_own_text_for_it() -> None:
    own = CONFIG.model_copy(update={"canned": {**CONFIG.canned, "attachment": both("Files are for Mei.")}})
    story = Story(config=own)
    sends_file(story)
    assert story.replies[0].text == "Files are for Mei."


def test_files_that_come_together_have_one_answer() -> None:
    story = Story()
    album = [sends_file(story) for _ in range(3)]
    story.wait(59)
    late = sends_file(story)
    [reply] = story.replies
    assert story.settled == dict(zip([*album, late], ["answered", "merged", "merged", "merged"], strict=True))
    story.wait(61)
    again = sends_file(story)
    assert story.settled[again] == "answered"
    assert len({each.reply_id for each in story.replies}) == 2 and story.replies[0] is reply


def test_an_album_with_words_is_answered_by_what_those_are() -> None:
    story = Story()
    asked = sends_file(story, "What is this fee?", "a")
    rest = [sends_file(story, album="a") for _ in range(4)]
    story.understood("fees")
    story.generated()
    late = sends_file(story, album="a")
    assert story.settled == {asked: "answered", **dict.fromkeys([*rest, late], "merged")}
    assert [reply.kind for reply in story.replies] == ["answer"]


@pytest.mark.parametrize("album", [None, "b"])
def test_a_file_that_comes_after_an_album_with_words_is_answered_for_itself(album: str | None) -> None:
    story = Story()
    sends_file(story, "What is this fee?", "a")
    alone = sends_file(story, album=album)
    assert story.settled == {alone: "answered"}
    assert [reply.kind for reply in story.replies] == ["canned"]


def test_a_file_does_not_stop_the_answer_that_is_being_written() -> None:
    story = Story()
    asked = story.says("What does it cost?")
    story.understood("fees")
    sent = sends_file(story)
    assert story.bodies(EpochRaised) == []
    story.generated()
    assert [reply.answers for reply in story.replies] == [(sent,), (asked,)]
    assert story.settled == {sent: "answered", asked: "answered"}


def test_the_bot_says_nothing_to_a_file_that_a_human_owns() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    message = sends_file(story)
    assert story.replies == [] and story.settled == {message: "handed_over"}
    assert story.bodies(CustomerMessage)[0].attachments == (PHOTO,)


def test_a_file_that_comes_in_the_queue_is_handed_over_with_the_rest() -> None:
    story = Story()
    asked = story.says("a human please")
    story.understood("human")
    sent = sends_file(story)
    assert sent not in story.settled
    story.taken()
    assert story.settled == {asked: "handed_over", sent: "handed_over"}
    assert [reply.kind for reply in story.replies] == ["handoff"]


def test_a_file_that_waited_in_vain_is_answered_beside_the_texts_that_did() -> None:
    story = Story()
    asked = story.says("a human please")
    story.understood("human")
    first = sends_file(story)
    text = story.says("What does it cost?")
    second = sends_file(story)
    story.nobody()
    assert story.settled == {asked: "answered", first: "merged", second: "answered"}
    nobody, files = story.replies
    assert nobody.reply_id != files.reply_id and files.answers == (first, second)
    story.understood("fees")
    story.generated()
    assert story.settled[text] == "answered"
    assert story.bodies(AnswerRequested)[-1].message_ids == (text,)


def test_a_file_after_a_release_to_the_queue_is_settled_within_the_limit() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(ReleaseRequested(human_agent_id="mei", to="queue"))
    sent = sends_file(story)
    assert sent not in story.settled
    story.pass_time(60)
    assert story.settled == {sent: "answered"}


def test_a_file_that_an_agent_gets_from_the_queue_is_handed_over() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(ReleaseRequested(human_agent_id="mei", to="queue"))
    sent = sends_file(story)
    story.taken()
    assert story.settled == {sent: "handed_over"} and state(story).human_agent_id == "mei"
