"""A tenant's own numbers: which regular expressions may describe them, and what they find."""

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.domain.masking import Masker, masker_of
from parley.domain.masking.checksums import mod11_2, mod97
from parley.domain.masking.own import PatternRefused, check
from parley.domain.masking.shapes import MOST_WAYS, ShapeRefused, shape_of
from schemas.base import MAX_MESSAGE_CHARS
from schemas.privacy import MaskPattern

CUSTOMER = MaskPattern(name="customer_number", regex="[0-9]{8}", cues=("customer number", "客户号"))
CONTRACT = MaskPattern(name="contract", regex="AC-?[0-9]{8}-?[0-9]{2}", checksum="mod97")
SIM = MaskPattern(name="sim_card", regex=r"89\d{16,17}", checksum="luhn")
POLICY = MaskPattern(name="policy", regex="保单[A-Z]{2}[0-9]{4}")
MASKER = masker_of((CUSTOMER, CONTRACT, SIM, POLICY))


@pytest.mark.parametrize(
    ("regex", "same_as"),
    [
        ("[0-9]{8}", "[0-9]{8}"),
        (r"AB-?\d{4,6}", r"ab\-?[0-9]{4,6}"),
        ("(?:A|BC)[0-9]{3}", "(?:a|bc)[0-9]{3}"),
        (r"[A-Z]{2}[ .-]?[0-9]{4}", r"[a-z]{2}[ .-]?[0-9]{4}"),
        ("合同[0-9]{6}", "合同[0-9]{6}"),
        ("Ｎ１[0-9]{3}", "n1[0-9]{3}"),
        (r"\(\d{3}\)", r"\([0-9]{3}\)"),
        ("[0-9-]{0,2}[0-9]{5}", "[0-9-]{0,2}[0-9]{5}"),
    ],
)
def test_an_expression_is_read_as_folded_text_has_it(regex: str, same_as: str) -> None:
    written = re.compile(shape_of(regex).written)
    for text in (
        "12345678",
        "ab1234",
        "ab-123456",
        "bc123",
        "a123",
        "xy 1234",
        "合同123456",
        "n1123",
        "(123)",
        "--12345",
    ):
        assert bool(written.fullmatch(text)) == bool(re.fullmatch(same_as, text)), text


@pytest.mark.parametrize(
    ("regex", "words"),
    [
        ("", "empty text"),
        ("(?:[0-9]{8})?", "empty text"),
        ("[0-9]+", "no end"),
        ("[0-9]*", "no end"),
        ("[0-9]{4,}", "a count is"),
        ("[0-9]{8,4}", "from the fewer"),
        ("(?:[0-9]{1,6}){3,6}", "slow"),
        ("(?:(?:1|1){40}){40}[0-9]{3}", "matches up to"),
        ("(?:1|1){20}", "slow"),
        ("(?:(?:(?:(?:|){40}){40}){40}){40}[0-9]{3}", "slow"),
        ("[A-Z]{8}", "0 digits"),
        ("[A-Z0-9]{8}", "0 digits"),
        ("AB[0-9]{2}", "2 digits"),
        (".{8}", "any character"),
        ("[^0-9]{8}[0-9]{4}", "anything but"),
        ("^[0-9]{8}$", "stands alone"),
        (r"\w{3}[0-9]{4}", r"not \w"),
        (r"(\d)\1{7}", r"not \1"),
        ("(?=[0-9])[0-9]{8}", "only (?:…)"),
        ("(?i:[0-9]{8})", "only (?:…)"),
        ("([0-9]{8}", "without its )"),
        ("[0-9]{8})", "without its ("),
        ("[0-9", "a list is"),
        ("[z-a]{3}[0-9]{3}", "a later one"),
        ("[A-é]{3}[0-9]{3}", "a range is"),
        ("[0-9]{8}??", "one count"),
        ("[0-9]{3}{3}", "one count"),
        ("[0-9]{41}", "at most 40"),
        ("\\", "escapes"),
        ("[0-9]{30}[0-9]{30}", "matches up to 60"),
        ("?[0-9]{8}", "nothing before"),
    ],
)
def test_what_may_be_slow_wide_or_unclear_is_refused_with_its_reason(regex: str, words: str) -> None:
    with pytest.raises(ShapeRefused, match=re.escape(words)):
        shape_of(regex)


PARTS = st.sampled_from(
    ["[0-9]", "[0-9]{1,4}", "[A-Z]?", "(?:1|12)", "-?", "(?:[0-9] ?){3}", "(?:A|B|0){1,3}", "7"]
)


@given(st.lists(PARTS, min_size=1, max_size=6), st.sampled_from("0a-1 "))
def test_what_is_allowed_is_quick_on_any_text(parts: list[str], sign: str) -> None:
    """The count of ways is what holds: the worst text for an expression is one that nearly fits everywhere."""
    try:
        shape = shape_of("".join(parts) + "[0-9]{3}X")
    except ShapeRefused:
        return
    assert shape.ways <= MOST_WAYS
    search = re.compile(shape.written)
    began = perf_counter()
    list(search.finditer((sign + "01" * 20) * (MAX_MESSAGE_CHARS // 41)))
    assert perf_counter() - began < 2.0


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("my customer number is 40718263", "my customer number is [customer_number_1]"),
        ("Customer Number: 4071 8263", "Customer Number: [account_1]"),
        ("客户号４０７１８２６３", "客户号[customer_number_1]"),
        ("customer number four oh seven one eight two six three", "customer number [customer_number_1]"),
        ("I paid 40718263", "I paid 40718263"),
        (
            "customer numbers 40718263 and 51930274",
            "customer numbers [customer_number_1] and [customer_number_2]",
        ),
        ("contract AC-12345678-68", "contract [contract_1]"),
        ("contract ac1234567868!", "contract [contract_1]!"),
        ("contract AC-12345678-69", "contract AC-12345678-69"),
        ("contract XAC-12345678-68", "contract XAC-12345678-68"),
        ("8934012000000000010", "8934012000000000010"),
        ("sim 8934012000000000008", "sim [sim_card_1]"),
        ("保单AB1234的受益人", "[policy_1]的受益人"),
    ],
)
def test_own_numbers_are_masked(text: str, masked: str) -> None:
    assert MASKER.mask(text).text == masked


def test_own_numbers_do_not_change_what_is_found_besides() -> None:
    text = "card 4111 1111 1111 1111, PIN 1234, customer number 40718263, mail a@example.com"
    assert Masker().mask(text).kinds == ("card", "code", "account", "email")
    assert MASKER.mask(text).kinds == ("card", "code", "customer_number", "email")
    again = MASKER.mask(text).text
    assert MASKER.mask(again).text == again


@pytest.mark.parametrize(
    ("pattern", "field", "words"),
    [
        (MaskPattern(name="number", regex="[0-9]{8}"), "regex", "20261123"),
        (MaskPattern(name="number", regex="[0-9]{4,6}"), "regex", "too wide"),
        (MaskPattern(name="number", regex="[0-9]{10}"), "regex", "1764000000"),
        (MaskPattern(name="number", regex="AB[0-9]{6}", checksum="luhn"), "checksum", "digits"),
        (MaskPattern(name="number", regex="合同[0-9]{6}", checksum="mod97"), "checksum", "digits and letters"),
        (MaskPattern(name="number", regex="[0-9]+"), "regex", "no end"),
    ],
)  # fmt: skip
def test_a_pattern_that_would_mask_anything_is_refused(pattern: MaskPattern, field: str, words: str) -> None:
    with pytest.raises(PatternRefused, match=re.escape(words)) as caught:
        check(pattern)
    assert caught.value.field == field


@pytest.mark.parametrize("pattern", [CUSTOMER, CONTRACT, SIM, POLICY], ids=lambda each: each.name)
def test_these_are_fine(pattern: MaskPattern) -> None:
    check(pattern)


def test_check_digits() -> None:
    assert mod97("ac1234567868") and not mod97("ac1234567869")
    assert mod11_2("11010519491231002x") and not mod11_2("110105194912310021")
    assert not mod11_2("1x1")


def test_a_date_is_never_masked_whatever_looks_for_it() -> None:
    dates = MaskPattern(name="number", regex=r"\d{2}[-.]\d{2}[-.]\d{4}")
    check(dates)
    assert masker_of((dates,)).mask("on 03.11.2026 and 99.99.9999").text == "on 03.11.2026 and [number_1]"
