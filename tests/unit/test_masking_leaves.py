"""What must reach the bot as it was written: amounts, dates, counts, articles, and words that only announce something elsewhere."""

import pytest

from parley.domain.masking import mask

AMOUNTS = """
I was charged 45.90 EUR twice
transfer 2,500 EUR
account 2,500 EUR
my account has 2500 EUR
the account costs 4.50 a month
account balance is 1,000,000.00
my account shows 250000 euros
€1,234,567.89 is missing
EUR 1.234.567,89 was booked
USD 10,000 for a car
£100,000 mortgage over 25 years
CHF 12'500
1 000 000 000 000 000 EUR
1,000,000,000,000,000 EUR
the loan is 250 000 euros at 3.75 % over 120 months
a fee of 1.5% and at least 10 EUR
between 5000 and 10000 euros
10k or 1.5m
3 million customers
a limit of 1000000 dollars
pay 250000 dollars to the account
five thousand euros
twenty-five percent of two hundred
账户5000元
账户里有5000元
账户余额5000.00元
我的账户少了20000块
账户余额 1000000 元
账户年费是多少，10元吗
账户5万元以上
账户扣了3笔
转账5000000元到账户
每天限额20000元，每月100000元
手续费0.5%，最低10元，最高200元
存款123456.78元
利率3.75%，期限36个月
人民币1,234,567.89元
共计1 000 000元
一共三百五十元
五千元和一万二千元
账号余额300元
卡里只剩50元
""".strip().split("\n")
DATES = """
23 11 2026
on 23 11 2026 I paid
2026 11 23
2026-11-23
2026/11/23 10:15:30
23/11/2026
11/23/2026
23.11.2026
23-11-2026 to 01-12-2026
01.02.2026 10.30
23.11.26 at 10:15
2026-11-23T10:15:30Z
2026-11-23T10:15:30+00:00
23 November 2026
Nov 23, 2026 at 5pm
2026年11月23日
2026年11月23日10点30分
二〇二六年十一月二十三日
11月23日到12月1日
2026.11.23
from 1 2 2026 until 31 12 2026
01/02/2026, 02/02/2026, 03/02/2026
born in 1987, customer since 2004
the account opened in 2019 costs nothing
账户2019年开的
10:30, 11:45, 12:00
10:30-12:45
Mon-Fri 08:00-20:00
open 9-17, on Saturdays 10-14
24/7
周一至周五9:00-17:30
营业时间8:30到17:00
20261123221530
1732400000000
1732400000
the summer of 2024, 2025 and 2026
code: 2026-11-23
account opened 01.02.2020
PIN changed on 23/11/2026
expires 12/27
有效期12/27
""".strip().split("\n")
NUMBERS = """
order 123-4567890-1234567
order number 20001234
order 4111111111111112
invoice 2026-000123
tracking 00340434161094042557
tracking 1Z999AA10123456784
article 4.2.1 of section 1234567890
article number 40012345
ref 9876543210
reference 2026-11-000123
product code 4711
error code 4040
code 500 appears
error 0x80070005
status code 404
the postal code is 12345
postcode 12345
the swift code is AIBKIE2D
promo code 2026
country code 353
bank code 12345678
version 12.4.1 on iOS 17.5.1
Android 14, app 5.12.0
192.168.100.200
iPhone 15 Pro Max 256 GB
3 of 5 payments failed
I tried 3 times in 10 minutes
call 95588
hotline 95588, open 24/7
1 2 3 4 5
one two three, testing
see steps one, two, three and four
two or three days
twenty twenty six
from one to ten
size 42, 43 and 44
100 km at 120 km/h
card ending in 1234
last four digits 4242
my card expires 2027
the PIN has 4 digits
PIN retry limit 100
three accounts and 2 cards
my number one question
account number 12
IE29 AIBK 9311 5212 3456 79
110105194912310021
GB 2026
订单号2026112300012
快递单号75123456789012
错误代码4040
邮编100000
版本12.4.1
第4.2.1条
拨打95588
试了3次
三个工作日
五六天
一二三
密码输错3次
密码错误 3000次
验证码60秒后过期
验证码有6位
手机充了100元
身份证要带吗
尾号1234的卡
前100名客户
""".strip().split("\n")
WORDS = """
my name is wrong on the card
my name is misspelled
my name is not on the list
my name is hyphenated
my name was typed incorrectly
my name is longer than 20 letters
this is what the woman calling said
it is me calling again
account in the name of my wife
payee: how to add
password 8 characters
password manager app
memorable word is forgotten
my login is not working
shop at example.com
tag @gmail users
post code d04 area
what is my name on the card
the product name is Alder Everyday
company name: Alder
the file name is statement.pdf
user name or password
I miss my card
it takes 300 ms to load
it called for help
thanks and regards
what is your address
the branch address is 12 Main Street
my address is wrong
my email address changed
I live in Dublin
I moved to Spain
moved to a 12 month contract
send to 2 accounts
I stay at 5 star hotels
ship to 20 countries on the way
my address changed 3 weeks ago
my password is wrong
the password was reset yesterday
password is not accepted
I forgot my PIN
the code never arrived
code is invalid
where is the verification code
my account is blocked
which phone do I need
call me tomorrow at 10
not@an-address and @handle
meet me @ the branch
see www.bank.example/help
我叫不到车
我叫什么名字
姓名不对
姓名和证件不一致
怎么改姓名
地址变更怎么办
寄到我家要3天吗
送到3号柜台
网点地址在中山路5号吗
我住在上海
搬到杭州了
密码忘了
密码是不是错了
验证码收不到
账户被冻结了
手机丢了
请打电话给我
各位先生女士
我叫停付款
收款人是公司
收款人是房东
户名是自己
姓名是拼音
我是学生
我是程序员
我是高中生
女儿叫什么名字要填吗
密码改成什么好
密码从6位改成8位
You need the payee's full name and address
have the amount and the payee's name ready
the recipient’s bank may deduct additional fees
it should reflect at the payee's end shortly
the payee is unknown to my bank
the account holder is deceased
显示在账户名称下方。
户名不对
""".strip().split("\n")
ALL = [*AMOUNTS, *DATES, *NUMBERS, *WORDS]


@pytest.mark.parametrize("text", ALL, ids=lambda text: text[:30])
def test_leaves(text: str) -> None:
    masked = mask(text)
    assert masked.text == text
    assert masked.kinds == ()


def test_the_tables_are_as_large_as_they_are_meant_to_be() -> None:
    assert len(set(ALL)) == len(ALL) >= 150
