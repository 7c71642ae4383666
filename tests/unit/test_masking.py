"""Masking: what must go, what must stay, and what holds for every text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.domain.masking import KINDS, luhn, mask
from tests.support.growth import SQUARED, growth

CARDS = [
    ("My card 4111 1111 1111 1111 12/27 was stolen", "My card [card_1] 12/27 was stolen"),
    ("card 4111-1111-1111-1111.", "card [card_1]."),
    ("5555555555554444", "[card_1]"),
    ("378282246310005 is an Amex", "[card_1] is an Amex"),
    ("3782 822463 10005", "[card_1]"),
    ("30569309025904", "[card_1]"),
    ("2223003122003222", "[card_1]"),
    ("我的卡号是6222021234567890128", "我的卡号是[card_1]"),
    ("银行卡 ６２２２ ０２１２ ３４５６ ７８９０ １２８ 丢了", "银行卡 [card_1] 丢了"),
    ("4111\u00a01111\u00a01111\u00a01111", "[card_1]"),
    ("4111–1111–1111–1111", "[card_1]"),
]
IBANS = [
    ("to IE29 AIBK 9311 5212 3456 78 is my iban", "to [iban_1] is my iban"),
    ("de89370400440532013000", "[iban_1]"),
    ("GB82WEST12345698765432, thanks", "[iban_1], thanks"),
    ("FR14-2004-1010-0505-0001-3M02-606", "[iban_1]"),
    ("汇到IE29AIBK93115212345678吧", "汇到[iban_1]吧"),
]
IDS = [
    ("身份证11010519491231002X", "身份证[id_1]"),
    ("11010519491231002x", "[id_1]"),
    ("id 110105 19491231 002X", "id [id_1]"),
    ("my SSN is 123-45-6789", "my SSN is [id_1]"),
]
PHONES = [
    ("call +353 87 123 4567 please", "call [phone_1] please"),
    ("+1 (415) 555-2671", "[phone_1]"),
    ("0044 20 7946 0958", "[phone_1]"),
    ("+86 138 0013 8000", "[phone_1]"),
    ("我的手机号是13800138000。", "我的手机号是[phone_1]。"),
    ("１３８００１３８０００", "[phone_1]"),
    ("138-0013-8000", "[phone_1]"),
    ("087 123 4567", "[phone_1]"),
    ("0871234567", "[phone_1]"),
    ("(01) 234 5678", "[phone_1]"),
    ("020 7946 0958", "[phone_1]"),
    ("(415) 555-2671", "[phone_1]"),
    ("415-555-2671", "[phone_1]"),
    ("010-62345678", "[phone_1]"),
    ("my mobile is 871234567", "my mobile is [phone_1]"),
    ("电话 5551234", "电话 [phone_1]"),
]
EMAILS = [
    ("mail Foo.Bar+x@example.co.uk.", "mail [email_1]."),
    ("我的邮箱是abc@example.com谢谢", "我的邮箱是[email_1]谢谢"),
    ("<a_b@example.org>", "<[email_1]>"),
    ("abc＠example．com", "[email_1]"),
]
CODES = [
    ("my PIN is 1234", "my PIN is [code_1]"),
    ("pin: 1234", "pin: [code_1]"),
    ("CVV 123", "CVV [code_1]"),
    ("我的PIN是1234", "我的PIN是[code_1]"),
    ("the code I got was 482913", "the code I got was [code_1]"),
    ("one-time password 998877", "one-time password [code_1]"),
    ("verification code: 12 34 56", "verification code: [code_1]"),
    ("验证码是 123456", "验证码是 [code_1]"),
    ("您的验证码：482913，请勿泄露", "您的验证码：[code_1]，请勿泄露"),
    ("密码：abc123", "密码：[code_1]"),
    ("my password is hunter2!", "my password is [code_1]"),
    ("1234 is my PIN", "[code_1] is my PIN"),
    ("482913是我的验证码", "[code_1]是我的验证码"),
]
ACCOUNTS = [
    ("account number 12345678", "account number [account_1]"),
    ("sort code 93-11-52", "sort code [account_1]"),
    ("账号 6222021234567", "账号 [account_1]"),
]
LOOK_ALIKES = [
    "I was charged 1,234.56 EUR on 2026-11-23 at 22:15:30",
    "transfer 5000000 yuan",
    "€4 111 111 111 111 111",
    "1 234 567,89 EUR",
    "1.234.567,89 EUR and 1 000 000 more",
    "账户余额 1000000 元",
    "my account has 250000 EUR",
    "01-02-2026 to 31-03-2027",
    "01.02.2026 10.30",
    "2026年11月23日 10点30分",
    "at 10:30-12:45, or 00:00-23:59",
    "order 123-4567890-1234567",
    "order 4111111111111112",
    "timestamp 1732400000000 or 1732400000",
    "20261123221530",
    "invoice 2026-000123",
    "tracking 00340434161094042557",
    "article 4.2.1 of section 1234567890",
    "ref 9876543210",
    "192.168.100.200",
    "error code 4040",
    "the swift code is AIBKIE2D",
    "postal code is 12345",
    "the PIN has 4 digits",
    "PIN retry limit 100",
    "code: 2026-11-23",
    "密码输错3次",
    "密码错误 3000次",
    "验证码60秒后过期",
    "call me tomorrow at 10",
    "a phone costs 1234567 EUR",
    "hotline 95588, open 24/7",
    "3.75 % from 2026-10-01 to 2027-03-31",
    "IE29 AIBK 9311 5212 3456 79",
    "110105194912310021",
    "not@an-address and @handle",
    "",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [*CARDS, *IBANS, *IDS, *PHONES, *EMAILS, *CODES, *ACCOUNTS],
    ids=lambda value: value[:24],
)
def test_masks(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_leaves_what_only_looks_alike(text: str) -> None:
    assert mask(text).text == text
    assert mask(text).kinds == ()


def test_numbers_values_and_not_mentions() -> None:
    masked = mask("from 4111111111111111 to 5555 5555 5555 4444, no: 4111 1111 1111 1111. Mail a@b.ie")
    assert masked.text == "from [card_1] to [card_2], no: [card_1]. Mail [email_1]"
    assert masked.kinds == ("card", "email")


def test_the_same_line_with_and_without_its_country_code_is_one_number() -> None:
    assert mask("087 123 4567, abroad +353 87 123 4567").text == "[phone_1], abroad [phone_1]"


def test_kinds_come_in_the_order_of_their_first_appearance() -> None:
    assert mask("PIN 1234 of card 4111111111111111, mail a@b.ie").kinds == ("code", "card", "email")


def test_luhn_finds_every_single_wrong_digit() -> None:
    number = "4111111111111111"
    assert luhn(number)
    wrong = [number[:i] + d + number[i + 1 :] for i in range(16) for d in "0123456789" if d != number[i]]
    assert not any(map(luhn, wrong))


@given(
    st.text(
        alphabet=st.one_of(st.sampled_from("0123456789 -+@.:()/xXPIN验证码是１２"), st.characters()),
        max_size=200,
    )
)
def test_what_is_masked_stays_masked(text: str) -> None:
    masked = mask(text)
    assert mask(masked.text).text == masked.text
    assert set(masked.kinds) <= set(KINDS)
    assert (masked.text == text) == (masked.kinds == ())


@given(st.text(max_size=30), st.sampled_from([text for text, _ in CARDS[1:7]]), st.text(max_size=30))
def test_a_card_number_never_survives_its_surroundings(before: str, card: str, after: str) -> None:
    digits = card.split(" is ")[0].strip("card .")
    assert digits not in mask(f"{before} {digits} {after}").text


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 2000,
        "1" * 4000,
        "01 23 " * 660,
        "code is my " * 360 + "1",
        "GB82 " * 800,
        "a" * 3998 + "@1",
        "4111 " * 800,
    ],
    ids=lambda text: text[:8],
)
def test_no_text_takes_long(text: str) -> None:
    assert growth(mask, text) < SQUARED / 2
