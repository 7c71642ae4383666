"""Who is the customer, and who speaks for the company."""

import json

import pytest

from connectors.calls.draft import Heard, Voice
from connectors.calls.formats import read
from connectors.calls.speakers import assign, speaker_of
from connectors.calls.transcript import Speaker, TranscriptRefused

CASES = """
AGENT human_agent
AUTOMATED_AGENT human_agent
CUSTOM_BOT human_agent
SUPERVISOR human_agent
SYSTEM human_agent
Agent 2 human_agent
customer service human_agent
Customer Care Rep human_agent
outbound_track human_agent
客服 human_agent
客服001 human_agent
坐席 human_agent
客户经理 human_agent
CUSTOMER customer
END_USER customer
caller customer
Customer_1 customer
inbound_track customer
客户 customer
顾客 customer
用户 customer
Guest customer
Guest-1 customer
Bank Teller human_agent
Agent Ann human_agent
spk_0 None
Alice None
Christopher Guest None
Penn Teller None
channel 1 None
Reporter None
""".strip().splitlines()


@pytest.mark.parametrize("case", CASES)
def test_labels(case: str) -> None:
    label, side = case.rsplit(" ", 1)
    assert str(speaker_of(label)) == side


def sides(said: str, speakers: dict[str, Speaker] | None = None, **roles: str) -> dict[str, Speaker]:
    """The sides of those who speak in a text of lines like `a: hello`."""
    heard = [Heard(voice, text) for voice, _, text in (line.partition(": ") for line in said.splitlines())]
    voices = {turn.voice: Voice(role=roles.get(turn.voice, "")) for turn in heard}
    return assign(voices, heard, speakers)


def test_the_caller_of_read_is_asked_first() -> None:
    assert sides("Agent: hi\nb: ho", {"AGENT": "customer"}) == {"Agent": "customer", "b": "human_agent"}
    assert sides("a: hi\nb: ho", {"b": "human_agent"}) == {"a": "customer", "b": "human_agent"}


def test_a_role_goes_before_the_label() -> None:
    assert sides("Agent: hi\nb: ho", Agent="CUSTOMER") == {"Agent": "customer", "b": "human_agent"}


def test_the_other_of_two_is_the_other_side() -> None:
    assert sides("Mira: hi\ncustomer: how can I help you") == {"Mira": "human_agent", "customer": "customer"}


@pytest.mark.parametrize(
    "greeting",
    ["Thank you for calling Bank, how may I help?", "您好，请问有什么可以帮您", "This call may be recorded."],
)
def test_who_greets_with_the_companys_words_is_the_agent(greeting: str) -> None:
    assert sides(f"spk_0: hello\nspk_1: {greeting}\nspk_0: my card") == {
        "spk_0": "customer",
        "spk_1": "human_agent",
    }


def test_a_second_agent_who_greets_is_one_too() -> None:
    said = "0: how can I help\n1: my card\n2: thanks for calling, cards here\n1: hello"
    assert sides(said) == {"0": "human_agent", "1": "customer", "2": "human_agent"}


def test_where_both_greet_the_one_who_does_more_is_the_agent() -> None:
    said = (
        "0: welcome to the club\n1: how can I help you, you've reached us\n1: is there anything else I can do"
    )
    assert sides(said) == {"0": "customer", "1": "human_agent"}


def test_where_nothing_tells_the_first_is_the_agent_and_one_alone_the_customer() -> None:
    assert sides("0: yes\n1: no") == {"0": "human_agent", "1": "customer"}
    assert sides("0: yes") == {"0": "customer"}
    assert sides("0: yes\nagent: no\n1: hm") == {"0": "customer", "agent": "human_agent", "1": "customer"}


def test_guests_and_users_say_no_more_than_that_somebody_speaks() -> None:
    for label in ("Guest", "User"):
        said = f"{label}-1: my card\n{label}-2: thanks for calling, how can I help"
        assert sides(said) == {f"{label}-1": "customer", f"{label}-2": "human_agent"}
        assert sides(f"{label}-1: yes\n{label}-2: no") == {
            f"{label}-1": "human_agent",
            f"{label}-2": "customer",
        }
        assert sides(f"{label}: my card\nHost: hello") == {label: "customer", "Host": "human_agent"}


def test_a_customer_who_greets_where_all_are_customers_is_the_agent() -> None:
    said = "Customer 1: my card\nCustomer 2: how can I help you"
    assert sides(said) == {"Customer 1": "customer", "Customer 2": "human_agent"}
    assert sides("Customer 1: my card\nCustomer 2: mine") == {
        "Customer 1": "customer",
        "Customer 2": "customer",
    }
    assert sides(said.replace(" 2", "_2"), Customer_2="CUSTOMER")["Customer_2"] == "customer"
    assert sides(said, {"Customer 2": "customer"})["Customer 2"] == "customer"


def test_a_surname_that_is_a_word_for_a_side() -> None:
    said = "Christopher Guest: Thanks for calling, how can I help?\nAlice Smith: I lost my card"
    assert sides(said) == {"Christopher Guest": "human_agent", "Alice Smith": "customer"}


def test_a_side_that_does_not_exist() -> None:
    with pytest.raises(TranscriptRefused, match=r"speakers\['x'\] must be one of customer, human_agent"):
        read(json.dumps([{"speaker": "x", "text": "hi"}]).encode(), speakers={"x": "bot"})  # type: ignore[dict-item]
