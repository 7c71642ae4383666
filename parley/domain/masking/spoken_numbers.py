"""Card and telephone numbers that are said digit by digit, where no word announces them: their length and their checksum do."""

import re
from collections.abc import Iterator

from parley.domain.masking.cards import is_card_number
from parley.domain.masking.found import Found
from parley.domain.masking.phones import phone_value
from parley.domain.masking.spoken import CHINESE_CHARACTERS, ENGLISH_DIGIT, spoken_digits

_FEWEST = 9
_ENGLISH = re.compile(rf"(?<![a-z0-9]){ENGLISH_DIGIT}(?:[\s,.-]{{1,3}}{ENGLISH_DIGIT}){{3,}}")
"""Four of them at least: some stand for several digits (`double two`, `forty-two`)."""
_CHINESE = re.compile(rf"[{CHINESE_CHARACTERS}](?:[\s,-]?[{CHINESE_CHARACTERS}]){{{_FEWEST - 1},}}")
_LINE = re.compile("0[1-9][0-9]{7,10}|1[3-9][0-9]{9}")
"""A whole line's number: area code and all, or a Chinese mobile's."""


def spoken_numbers(plain: str) -> Iterator[Found]:
    for shape in (_ENGLISH, _CHINESE):
        for hit in shape.finditer(plain):
            said = spoken_digits(plain, hit.start())
            if said is None or len(said.digits) < _FEWEST:
                continue
            if is_card_number(said.digits):
                yield Found(hit.start(), said.end, "card", said.digits)
            elif _LINE.fullmatch(said.digits):
                yield Found(hit.start(), said.end, "phone", phone_value(said.digits))
