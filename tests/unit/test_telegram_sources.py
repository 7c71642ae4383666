"""Sources are links that a customer can open, wherever the tenant's site is."""

import pytest

from connectors.telegram.channel import TelegramChannel
from parley.ports.channels import Chat
from schemas.base import ConversationId, CustomerId, MessageId, ReplyId
from schemas.outbound import ReplyReady
from schemas.parts import Citation
from tests.support.small_tenant import CONFIG, TENANT
from tests.support.stories import NINE, event

CHAT = Chat(TENANT, "telegram", "5", ConversationId("c-1"), CustomerId("customer-of-c-1"), NINE, "en")


@pytest.mark.parametrize(
    ("site", "public", "link"),
    [
        ("/demo/bank", "https://parley.example", "https://parley.example/demo/bank/help/fees"),
        ("https://bank.example", "https://parley.example", "https://bank.example/demo/bank/help/fees"),
        ("", "https://parley.example", "https://parley.example/demo/bank/help/fees"),
        ("/demo/bank", "", None),
    ],
)
def test_a_source_is_a_link_where_its_address_is_whole(site: str, public: str, link: str | None) -> None:
    channel = TelegramChannel({TENANT: "1:x"}, "http://127.0.0.1:9", public)
    reply = ReplyReady(
        seq=1,
        epoch=1,
        reply_id=ReplyId("r"),
        kind="answer",
        answers=(MessageId("m"),),
        text="It costs €4.50.",
        citations=(Citation(id="fees", title="Fees", url="/demo/bank/help/fees"),),
        language="en",
    )
    config = CONFIG.model_copy(update={"site_url": site})
    [message] = channel.messages(event(reply, "r"), CHAT, config)
    assert (f'<a href="{link}">Fees</a>' in message.text) is (link is not None)
    assert "Fees" in message.text
