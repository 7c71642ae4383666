"""Numbers of orders, tickets, cases, bookings and payments, behind the words that announce them."""

import re
from collections.abc import Iterator
from datetime import date

from parley.domain.entities.found import Found
from parley.domain.masking.amounts import DATE, NO_DECIMALS, NO_UNIT

_ORDERS = "order|purchase|booking|reservation|delivery|parcel|shipment|订单|预订单?|运单|快递单?|包裹"
_OTHERS = (
    "reference|ref|ticket|case|complaint|claim|transaction|payment|transfer|invoice|receipt|confirmation|tracking|application|request"
    "|incident|dispute|bill|enquiry|inquiry|file|service request|mandate"
    "|参考|流水|工单|单据?|交易|业务|案件|投诉|发票|凭证|申请|受理|回执|处理|查询"
)
_NUMBER = r"(?:[ -]?(?:numbers?|num|no|nr|id|code|#)(?![a-z])\.?|编?号码?|编码|#)"
_NAMED = rf"(?:[ -]?(?:reference|ref|tracking|confirmation|transaction)(?![a-z]){_NUMBER}?|{_NUMBER})"
_GLUE = r"(?:[ :=#\"'(-]|(?:is|was|my|the|it|it's|for|of|this)(?![a-z])|是|为|：){0,4}"
_VALUE = rf"((?=[a-z0-9/-]*[0-9])[a-z0-9](?:[/-]?[a-z0-9]){{2,23}}|[0-9]{{2,4}}(?: [0-9]{{2,4}}){{1,4}})(?![a-z0-9]|-[a-z0-9]){NO_DECIMALS}{NO_UNIT}"
_WITH_NUMBER = re.compile(rf"(?<![a-z])(?:({_ORDERS})|{_OTHERS}){_NAMED}{_GLUE}{_VALUE}")
_WITHOUT = re.compile(
    rf"(?<![a-z])(?:({_ORDERS})|{_OTHERS})(?: is| was|[:#]|：)?(?: ?#)? {{0,2}}(?=[a-z0-9/-]*[0-9]{{2}})(?=[a-z0-9/-]{{5}}){_VALUE}"
)
_LOOSE = re.compile(
    rf"(?<![a-z0-9])(?:编号|单号|#|no\. ?|nr\. ?|number ){_GLUE}((?:[a-z]{{1,4}}-?[0-9]{{4,14}}|[0-9]{{6,14}}))(?![a-z0-9]){NO_UNIT}"
)


def references(plain: str, on: date) -> Iterator[Found]:
    for cue in (_WITH_NUMBER, _WITHOUT):
        for match in cue.finditer(plain):
            kind = "order_number" if match[1] else "reference_number"
            if DATE.match(plain, match.start(2)) is None:
                yield Found(
                    *match.span(2),
                    kind,
                    match[2].replace(" ", "").upper(),
                )
    for match in _LOOSE.finditer(plain):
        yield Found(*match.span(1), "reference_number", match[1].upper())
