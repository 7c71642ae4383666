"""`create_topics`: what the settings say of partitions, and what is there already."""

from parley.backends.memory_bus import MemoryBus
from parley.cli.admin import create_topics
from parley.settings import Settings
from schemas.topics import CALL_EVENTS, CONVERSATION_EVENTS, INFERENCE_CONTROL


def test_a_topic_gets_as_many_partitions_as_the_design_says_and_no_more_than_the_setting() -> None:
    admin = MemoryBus().admin()
    create_topics(admin, Settings(partitions=4))
    made = admin.topics()
    assert (made[CONVERSATION_EVENTS.name], made[CALL_EVENTS.name], made[INFERENCE_CONTROL.name]) == (4, 4, 1)


def test_a_topic_that_is_there_keeps_its_partitions() -> None:
    admin = MemoryBus().admin()
    assert CONVERSATION_EVENTS.name in create_topics(admin, Settings())
    assert create_topics(admin, Settings(partitions=2)) == []
    assert admin.topics()[CONVERSATION_EVENTS.name] == CONVERSATION_EVENTS.partitions
