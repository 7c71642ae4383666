"""What numbers are not: amounts, dates and counts that stand where a value might."""

import re

_UNITS = (
    "eur|usd|gbp|chf|cny|rmb|jpy|hkd|yuan|yen|euros?|dollars?|pounds?|bucks|cents?|k|m|mio|thousand|million|billion|percent|per cent"
    "|seconds?|minutes?|mins?|hours?|days?|weeks?|months?|years?|times|digits?|characters|letters|points|miles|people|customers"
    "|transactions|payments|km|kg|gb|mb"
)
_CHINESE_UNITS = (
    "人民币|美元|欧元|英镑|港币|港元|日元|澳元|加元|元|块|万(?!一)|亿|千(?!万)|百|次|天|日|年|个|月|周(?![一二三四五六日末])|分(?![别行])"
    "|秒|小时|位|笔|岁|期|倍|度"
)
NO_UNIT = rf"(?! ?(?:[%‰€£$¥]|(?:{_UNITS})(?![a-z])|{_CHINESE_UNITS}))"
"""Behind a number: it is not the amount of something."""

NO_DECIMALS = r"(?![.,][0-9]{1,2}(?![0-9]))"

_DAY, _MONTH, _YEAR = "[0-3]?[0-9]", "[01]?[0-9]", "(?:19|20)[0-9]{2}"
DATE = re.compile(
    rf"(?:{_DAY}([-./ ]){_MONTH}\1{_YEAR}|{_YEAR}([-./ ]){_MONTH}\2{_DAY}|{_MONTH}([-./ ]){_DAY}\3{_YEAR})(?![0-9])"
)
THOUSANDS = re.compile(
    r"(?:[$€£¥] ?|(?:eur|usd|gbp|cny) )[0-9]{1,3}([ ,.])[0-9]{3}(?:\1[0-9]{3})*+(?:[.,][0-9]+)?(?![0-9])"
)
"""An amount with its currency before it and its thousands set apart."""
