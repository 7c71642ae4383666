"""What the guard lets pass and what it stops, as a table for each kind of fact; every case is checked as it would be streamed, too."""

import pytest

from parley.domain.guard import check_against
from tests.support.streamed import streamed

FEES = (
    "The fee is €4.50 a month; the Gold account costs €10. A transfer of up to 1,000 EUR is free, above that it costs 0.5%. The loan limit is "
    "€250,000 at 3.75% for 60 months. A refund takes 3 to 5 working days, a new card two weeks. Returned debits cost five euros. Data: 5 GB."
)
HOURS = (
    "Branches are open Monday to Friday 09:00-17:30 and on Saturday from 10 am to 2 pm. The line is open until 20:00, all is closed on Sunday. Prices are valid from "
    "1 October 2026; the offer ends on 23 November 2026. The bill comes on the 3rd of each month. Cards are sent within 24 hours."
)
LINKS = "See [fees](/help/fees) or https://nova-bank.example/help/cards; write to help@nova-bank.example or call 0800 555 0140."
CLAIMS = "Yes, a joint account can be opened in the app. No, a lost card cannot be unblocked.\nThere are 12 branches."
CHINESE = (
    "月费为4.50欧元，黄金账户十欧元。每天限额为5,000欧元，超过部分收取百分之五。退款需要三个工作日，新卡需要两周。贷款最高25万欧元，期限60个月，"
    "年利率3.75%。网点周一至周五9:00至17:30营业，周六上午10点到下午2点，周日休息。价格自2026年10月1日起执行，2026年11月23日截止。\n可以，未成年人也可以开户。"
)
TABLE = "| Term (months) | Rate (%) |\n|---|---|\n| 18 | 2.10 |\n| 36 | 2.40 |"
SOURCES = (FEES, HOURS, LINKS, CLAIMS, TABLE)

NUMBERS_PASS = """
The fee is €4.50 a month.
The fee is 4.5 EUR per month.
It costs 4.50 euros monthly.
Gold costs 10 euros.
Gold costs EUR 10.
Gold costs ten euros.
It is 10欧元.
It is 十欧元.
Up to 1000 euros are free.
Up to 1 000 EUR are free.
Up to one thousand euros are free.
Up to 1 thousand euros are free.
Up to 1k euros are free.
Up to 一千欧元 are free.
Up to a thousand euros are free.
You can borrow 250k euros.
You can borrow €250,000.00.
You can borrow 0.25 million euros.
You can borrow a quarter of what you need, up to two hundred and fifty thousand euros.
You can borrow 25万欧元.
It costs 0.5 percent.
It costs 0.50 %.
It costs **0.5**%.
It costs zero point five percent.
The rate is 3.75 per cent for 60 months.
The rate is three point seven five percent for five years.
The rate is 百分之三点七五.
It runs for sixty months.
It runs for 5 years.
A refund takes 3-5 working days.
A refund takes three to five business days.
A refund takes 5 working days at most.
A refund takes 3至5个工作日.
The fee is €4.50 per month, or 4.50 EUR monthly.
Transfers up to 1,000 EUR cost nothing.
There is no charge for small transfers.
Feel free to ask.
It is free and takes a few minutes.
The card comes in 2 weeks.
The card comes within 14 days.
The card comes within fourteen days.
A returned debit costs 5 EUR.
You have 5GB of data.
There are twelve branches.
Transfers up to €1,000 cost €0.
1. Open the app⏎2. Choose Cards⏎3. Tap Block
(1) Open the app⏎(2) Choose Cards
The fee is €4.50 [1].
The fee is €4.50 [1, 7].
The fee is €4.50【1】.
First open the app, second choose Cards.
The 1st step is to open the app.
There are two ways to do it.
One of them is the app.
No one will ask for it.
For 36 months the rate is 2.40%.
The rate for 18 months is 2.1 percent.
A refund takes a few days.
It costs 4.50 euros, whatever you do in a month.
""".strip()
HOURS_PASS = """
We are open Monday to Friday.
We are open on Tuesdays.
We are closed on Sundays.
We are open Mon-Sat.
We are open from 9 am to 5:30 pm.
We are open from 9:00 until 17:30.
On Saturday we are open 10:00-14:00.
On Saturdays it is 10-2 pm.
The line is open until 8pm.
The line is open until 8 o'clock.
The line is open until 8 p.m. every evening.
The line is open until 晚上8点.
Valid from October 1, 2026.
Valid from 2026-10-01.
Valid from 01.10.2026.
Valid from 1/10/2026.
Valid from the first of October.
Valid from 2026年10月1日.
Valid from October 2026.
The offer ends on 23 Nov 2026.
The offer ends on 23.11.2026.
The offer ends on 11/23/2026.
The offer ends on Nov. 23.
The offer ends on the 23rd of November.
The offer ends on 23-Nov-2026.
The bill comes on the third of each month.
Cards are sent within twenty-four hours.
""".strip()
LINKS_PASS = """
See [fees](/help/fees).
See https://nova-bank.example/help/cards.
See nova-bank.example/help/cards for more.
See nova-bank.example.
See www.nova-bank.example.
Write to HELP@nova-bank.example.
Call 0800 5550140.
Call 0800-555-0140.
Open the app, e.g. on your phone, i.e. now.
Bring your statement.pdf file.
Yes, a joint account can be opened.
No, a lost card cannot be unblocked.
No documents are needed.
No fee is charged.
Certainly: a joint account can be opened in the app.
""".strip()
CHINESE_PASS = """
月费为4.5欧元。
月费是四点五欧元。
黄金账户10欧元。
黄金账户10 EUR。
每天限额五千欧元。
每天限额5000欧元。
每天限额5千欧元。
一天最多5,000欧元。
超过部分收取5%。
超过部分收取百分之5。
退款需要3个工作日。
The refund takes three working days.
新卡需要14天。
新卡需要两个星期。
最高可贷250000欧元。
最高可贷二十五万欧元。
期限5年，即六十个月。
年利率百分之三点七五。
周二营业。
周日休息。
周一到周五营业。
星期六也营业。
周六10:00到14:00。
周六上午十点到下午两点。
营业到下午5点半。
营业到17点30分。
价格自2026-10-01起执行。
10月1日起执行。
二〇二六年十月一日起执行。
Valid from 1 October 2026.
截止到11月23日。
The deadline is 23.11.2026.
可以，未成年人也可以开户。
第一步，打开手机应用。
一般来说，有两种方式。
千万不要告诉别人。
请您等一下，我们一起看看。
""".strip()

NUMBERS_STOP = """
number|The fee is €4.60 a month.
number|The fee is 45 EUR.
number|The fee is $4.50.
number|The fee is €4.50 a week.
number|The rate is 3.75% per day.
number|A Gold account is free.
number|We waive the fee for returned debits.
number|Debits cost nothing.
number|Gold costs 10 dollars.
number|Gold costs 10 pounds.
number|Gold costs eleven euros.
number|It costs twenty-five euros.
number|It costs 二十欧元.
number|Up to 1,001 euros are free.
number|Up to 10,000 euros are free.
number|Up to two thousand euros are free.
number|Up to 1k dollars are free.
number|You can borrow 5m.
number|You can borrow 5k.
number|You can borrow 5 million euros.
number|You can borrow 250 million euros.
number|You can borrow 250 euros.
number|You can borrow 52万欧元.
number|You can borrow half a million euros.
rate|It costs five percent.
rate|It costs 5%.
rate|It costs 50 percent.
rate|The rate is three point five percent.
rate|It costs 百分之五.
rate|The rate is 60%.
number|It runs for 60 days.
number|It runs for sixty years.
number|It runs for 6 months.
number|It runs for four years.
number|A refund takes 4 working days.
number|A refund takes 3 days.
number|A refund takes 5 hours.
number|A refund takes one working day.
number|A refund takes 十个工作日.
number|The card comes in 2 days.
number|The card comes in 3 weeks.
number|A new card comes within a hundred days.
number|You have 5 MB of data.
number|You have 50 GB of data.
number|There are 13 branches.
number|There are thirty branches.
rate|For 36 months the rate is 2.5%.
number|The card comes within a week.
number|A refund takes an hour.
number|A loss of 1,5 is borne by you.
number|The fee is [4500].
number|Call 0800 555 0141.
number|Call +353 1 555 0140.
""".strip()
HOURS_STOP = """
weekday|We are open on Sundays.
weekday|On Sundays we are open from 10:00.
time|We are open 24/7.
time|We are there around the clock.
weekday|We are open Monday to Sunday.
weekday|We are open at the weekend.
weekday|Open on Sun from 10 am.
weekday|周日营业。
time|We are open until 6 pm.
time|We are open from 8:00.
time|The line is open until 9pm.
time|The line is open until 8 am.
time|The line is open until 7 o'clock.
time|Open until midnight.
time|On Saturday it is 10 am to noon.
time|营业到下午4点。
time|晚上九点关门。
date|Valid from 2 October 2026.
date|Valid from 1 October 2027.
date|Valid from 1 November 2026.
date|Valid from 10/01/2026.
date|Valid from November 2027.
date|Valid from December.
date|Valid from 2026-10-02.
date|The offer ends on 24 Nov 2026.
date|The offer ends on 22.11.2026.
date|The offer ends on 11/24/2026.
date|The offer ends on Nov. 23, 2025.
date|The offer ends on the twenty-fourth of November.
date|2026年11月24日截止。
number|The bill comes on the 4th of each month.
number|Pay by the 15th.
number|Cards are sent within 24 days.
number|Cards are sent within twelve hours.
""".strip()
LINKS_STOP = """
link|See evil.example.
link|See evil.com for more.
link|See EVIL.COM now.
link|Go to nova-bank.example.evil.com.
link|Go to nova-bank.example/login.
link|请登录evil.com。
link|See https://evil.example/login.
link|See http://nova-bank.example/other.
link|See ftp://nova-bank.example/help/cards/x.
link|See [here](/help/other).
link|See [here](javascript:alert).
link|See [here](//evil.com/x).
link|See [nova-bank.example](https://evil.example).
link|Write to thief@nova-bank.example.
link|Write to help@nova-bank.example.evil.com.
link|See 例子.中国 for more.
masked|Your card [card_1] is blocked.
masked|Dear {{customer_name}},
yes_no|Yes.
yes_no|No.
yes_no|Yes!
yes_no|No, you cannot.
yes_no|Yes, you can withdraw money abroad.
yes_no|Thank you for asking. Yes, credit is granted to everybody.
yes_no|Yes, a lost card is unblocked.
yes_no|Certainly, you may do that.
yes_no|是的，没有问题。
yes_no|不可以。
yes_no|可以，马上给您办理贷款。
yes_no|当然，没问题。
""".strip()
CHINESE_STOP = """
number|月费为5.40欧元。
number|月费为4.5美元。
number|黄金账户二十欧元。
number|黄金账户10元。
number|每天限额六千欧元。
number|每天限额5万欧元。
number|每月限额五十欧元。
number|退款需要五个工作日。
number|退款需要三天。
number|退款需要3个小时。
number|退款需要一个工作日。
number|新卡需要三周。
number|最高可贷25亿欧元。
number|期限六年。
rate|超过部分收取百分之六。
rate|超过部分收取百分之五十。
rate|年利率3.57%。
rate|年利率百分之四。
weekday|星期天营业。
number|贷款免费。
number|退款不要钱。
weekday|周末营业。
weekday|周一至周日营业。
time|周六上午8点到下午2点。
time|营业到18:00。
date|价格自10月2日起执行。
date|自2025年10月1日起执行。
date|自二〇二七年十月一日起执行。
date|九月一日起执行。
""".strip()


def lines(*tables: str) -> list[str]:
    return [line.replace("⏎", "\n") for table in tables for line in table.strip().split("\n")]


ENGLISH_PASS = lines(NUMBERS_PASS, HOURS_PASS, LINKS_PASS)
ENGLISH_STOP = [tuple(line.split("|")) for line in lines(NUMBERS_STOP, HOURS_STOP, LINKS_STOP)]
HAN_PASS = lines(CHINESE_PASS)
HAN_STOP = [tuple(line.split("|")) for line in lines(CHINESE_STOP)]


@pytest.mark.parametrize(
    ("text", "sources"),
    [(text, SOURCES) for text in ENGLISH_PASS] + [(text, (CHINESE,)) for text in HAN_PASS],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_lets_pass(text: str, sources: tuple[str, ...]) -> None:
    assert check_against(text, sources).violations == ()
    assert streamed(text, sources) == text


@pytest.mark.parametrize(
    ("rule", "text", "sources"),
    [(rule, text, SOURCES) for rule, text in ENGLISH_STOP]
    + [(rule, text, (CHINESE,)) for rule, text in HAN_STOP],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_stops(rule: str, text: str, sources: tuple[str, ...]) -> None:
    report = check_against(text, sources)
    assert rule in report.violations and not report.passed
    assert streamed(text, sources) != text


def test_the_tables_are_as_large_as_they_are_meant_to_be() -> None:
    assert len(set(ENGLISH_PASS)) + len(set(HAN_PASS)) >= 80
    assert len(set(ENGLISH_STOP)) + len(set(HAN_STOP)) >= 80
