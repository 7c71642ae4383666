"""What is masked in a turn is masked in what was heard of it, whatever stands between the digits, and over connections of one call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calls.listening import Listening
from connectors.calls.noise import normalise
from connectors.calls.transcript import Speaker
from parley.domain.masking import masker_of

MASKER = masker_of(())


@pytest.mark.parametrize(
    "heard",
    [
        "my pin is um four uh seven uh one uh two",
        "um my card is 4539 uh 1488 um 0343 er 6467",
        "my account number is um four five uh three nine um one four",
        "我的密码是嗯六嗯二嗯二嗯二",
    ],
)
def test_a_number_with_fillers_in_it_is_in_neither(heard: str) -> None:
    said = Listening(MASKER).find(normalise(heard), heard, "customer")
    assert said.original is None
    assert said.text.taken


def test_what_was_heard_stays_where_it_hides_nothing() -> None:
    heard = "um, I, I lost my card 4111 1111 1111 1111"
    said = Listening(MASKER).find(normalise(heard), heard, "customer")
    assert said.original is not None
    assert said.original.masked().text == "um, I, I lost my card [card_1]"


def test_a_turn_without_noise_has_one_text() -> None:
    assert Listening(MASKER).find("I lost my card", "I lost my card", "customer").original is None


def test_a_repeated_turn_changes_nothing_of_what_is_expected() -> None:
    one = Listening(MASKER)
    one.find(
        "Can I take your card number please?", "Can I take your card number please?", "human_agent", "s1"
    )
    long = "I am looking for it in my bag now, and it takes me a moment longer"
    for _ in range(10):
        one.find(long, long, "customer", "s2")
    assert one.find("4539 1488", "4539 1488", "customer", "s3").text.taken


DIGITS = st.lists(
    st.sampled_from(["4", "5", "39", "seven", "um", "uh", "er,", "is", "六", "嗯"]), max_size=12
)


@given(st.lists(DIGITS.map(" ".join) | st.sampled_from(["card number?", "and your PIN?"]), max_size=6))
def test_no_value_of_the_text_stands_in_what_is_kept_of_the_original(turns: list[str]) -> None:
    one = Listening(MASKER)
    for turn in turns:
        said = one.find(normalise(turn), turn, "customer")
        if said.original is not None:
            values = sorted((each.kind, each.value) for each in said.text.taken)
            assert values == sorted((each.kind, each.value) for each in said.original.taken)


# -- names ----------------------------------------------------------------------------------------------------------------


def masked(one: Listening, *turns: tuple[Speaker, str]) -> list[str]:
    return [one.find(text, text, speaker).text.masked().text for speaker, text in turns]


def met(agent: str = "Aoife Nolan", customer: str | None = None) -> Listening:
    one = Listening(MASKER)
    one.meet("human_agent", agent)
    one.meet("customer", customer)
    return one


@pytest.mark.parametrize(
    "text",
    ["My name is Aoife. How can I help?", "my name is aoife nolan", "This is Aoife Nolan speaking.", "This is Aoife speaking"],
)  # fmt: skip
def test_an_agents_own_name_that_the_call_states_stays(text: str) -> None:
    assert masked(met(), ("human_agent", text)) == [text]
    assert masked(met("Liam Carey"), ("human_agent", text)) != [text]


def test_so_does_that_of_who_goes_on_and_a_chinese_one() -> None:
    one = met()
    one.meet("human_agent", "王小明")
    assert masked(one, ("human_agent", "您好，我叫王小明。")) == ["您好，我叫王小明。"]
    assert masked(met(), ("human_agent", "您好，我叫王小明。")) == ["您好，我叫[name_1]。"]


def test_the_customers_name_is_masked_also_where_it_is_like_the_agents() -> None:
    assert masked(met(), ("customer", "My name is Aoife")) == ["My name is [name_1]"]
    assert masked(met(), ("human_agent", "Your name is Aoife Byrne?")) == ["Your name is [name_1]?"]


@pytest.mark.parametrize(
    ("asks", "tells", "reads"),
    [
        ("Can you tell me your full name?", "Yes, it's Hannah Doyle, and I am in Osaka.", "Yes, it's [name_1], and I am in Osaka."),
        ("Can you confirm your name for me?", "Mark Feeney, second of July.", "[name_1], second of July."),
        ("May I have your surname, please?", "Doyle.", "[name_1]."),
        ("what is your name please", "yes it's hannah doyle", "yes it's [name_1]"),
        ("Who am I speaking to?", "Anna van der Berg", "[name_1]"),
        ("请问您的姓名？", "王小明。", "[name_1]。"),
        ("请问怎么称呼您？", "好的，李娜，我想问一下", "好的，[name_1]，我想问一下"),
    ],
)  # fmt: skip
def test_a_name_that_was_asked_for_is_masked_where_it_is_told(asks: str, tells: str, reads: str) -> None:
    assert masked(met(), ("human_agent", asks), ("customer", tells))[1] == reads
    assert masked(met(), ("customer", tells)) == [tells]


@pytest.mark.parametrize(
    "tells",
    ["Sure, one moment.", "Why do you ask?", "One moment please", "It's on the card.", "Can you hear me?", "好的，请稍等。", "Yes. Where is it?"],
)  # fmt: skip
def test_what_is_no_name_stays_though_one_was_asked_for(tells: str) -> None:
    assert masked(met(), ("human_agent", "Can you tell me your full name?"), ("customer", tells))[1] == tells


def test_a_name_that_was_told_is_masked_wherever_it_is_said_again() -> None:
    said = masked(
        met(),
        ("human_agent", "Your full name, please?"),
        ("customer", "Sure, one moment."),
        ("customer", "Hannah Doyle"),
        ("human_agent", "Thank you, Hannah. My name is Aoife."),
        ("customer", "Is that Hannah Doyle with an e?"),
    )
    assert said[2:] == ["[name_1]", "Thank you, [name_1]. My name is Aoife.", "Is that [name_1] with an e?"]


def test_a_customers_name_that_the_call_states_is_masked_from_the_beginning() -> None:
    one = met(customer="May Grant")
    assert masked(
        one, ("human_agent", "May I help you, May? You may tell me."), ("human_agent", "may grant")
    ) == [
        "May I help you, [name_1]? You may tell me.",
        "[name_1]",
    ]


@pytest.mark.parametrize("label", ["Customer", "caller 1", "spk_0", "anna@example.org", ""])
def test_a_label_is_no_name(label: str) -> None:
    text = "The Customer is caller 1, spk_0, anna"
    assert masked(met(customer=label), ("human_agent", text)) == [text]


def test_a_name_is_expected_for_a_few_turns() -> None:
    one = met()
    looking: tuple[Speaker, str] = ("customer", "I am looking for it")
    masked(one, ("human_agent", "Your name, please?"), looking, looking, looking)
    assert masked(one, ("customer", "Hannah Doyle")) == ["Hannah Doyle"]
