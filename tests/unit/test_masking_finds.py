"""What must not reach the log: every kind, as customers of both languages write it. All numbers are made up or a standard's examples."""

import pytest

from parley.domain.masking import mask

CARDS = [
    "card 4111.1111.1111.1111 is lost -> card [card_1] is lost",
    "4111/1111/1111/1111 -> [card_1]",
    "4111,1111,1111,1111 -> [card_1]",
    "4111, 1111, 1111, 1111 -> [card_1]",
    "4111_1111_1111_1111 -> [card_1]",
    "4111 - 1111 - 1111 - 1111 -> [card_1]",
    "4111  1111  1111  1111 -> [card_1]",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 -> [card_1]",
    "41 11 11 11 11 11 11 11 -> [card_1]",
    "41111111 11111111 -> [card_1]",
    "411111 1111111111 -> [card_1]",
    "4111·1111·1111·1111 -> [card_1]",
    "４１１１－１１１１－１１１１－１１１１ -> [card_1]",
    "４１１１．１１１１．１１１１．１１１１ -> [card_1]",
    "卡号４１１１　１１１１　１１１１　１１１１ -> 卡号[card_1]",
    "٤١١١ ١١١١ ١١١١ ١١١١ -> [card_1]",
    "4111\u200b1111\u200b1111\u200b1111 -> [card_1]",
    "4111111111111111,5555555555554444 -> [card_1],[card_2]",
    "4111111111111111, 12/27, 737 -> [card_1], 12/27, [code_1]",
    "cards 4111 1111 1111 1111 and 5105 1051 0510 5100 -> cards [card_1] and [card_2]",
    "order 4242424242424242 -> order [card_1]",
    "$4111 1111 1111 1111 -> $[card_1]",
    "x4111111111111111x -> x[card_1]x",
    "6011 1111 1111 1117 discover -> [card_1] discover",
    "3530111333300000 -> [card_1]",
    "银联卡6222 0212 3456 7890 128被吞了 -> 银联卡[card_1]被吞了",
    "银行卡4111-1111-1111-1111，有效期12/27 -> 银行卡[card_1]，有效期12/27",
    "我的卡4111.1111.1111.1111不能用 -> 我的卡[card_1]不能用",
    "my card number is 4111 1111 1111 1112 -> my card number is [card_1]",
    "卡号：1234567890123456 -> 卡号：[card_1]",
    "my card is four two four two four two four two four two four two four two four two -> my card is [card_1]",
    "four one double one, double one double one, triple one one, one one one one -> [card_1]",
    "卡号四二四二四二四二四二四二四二四二 -> 卡号[card_1]",
    "四二四二 四二四二 四二四二 四二四二 -> [card_1]",
]
IBANS = [
    "IBAN DE89 3704 0044 0532 0130 00 -> IBAN [iban_1]",
    "IBANDE89370400440532013000 -> IBAN[iban_1]",
    "GB82.WEST.1234.5698.7654.32 -> [iban_1]",
    "ＤＥ８９３７０４００４４０５３２０１３０００ -> [iban_1]",
    "NL91 ABNA 0417 1643 00 to AT61 1904 3002 3457 3201 -> [iban_1] to [iban_2]",
    "请转到GB82WEST12345698765432账户 -> 请转到[iban_1]账户",
    "my iban is DE89 3704 0044 0532 0130 01 -> my iban is [iban_1]",
    "CH9300762011623852957, please -> [iban_1], please",
    "收款IBAN：FR1420041010050500013M02606。 -> 收款IBAN：[iban_1]。",
]
IDS = [
    "110105 1949 1231 002X -> [id_1]",
    "身份证号码：11010519491231002X -> 身份证号码：[id_1]",
    "１１０１０５１９４９１２３１００２Ｘ -> [id_1]",
    "身份证尾号之前是110105194912310021 -> 身份证尾号之前是110105194912310021",
    "身份证号110105194912310021 -> 身份证号[id_1]",
    "PPS number 1234567T -> PPS number [id_1]",
    "my pps is 1234567FA -> my pps is [id_1]",
    "1234567T -> [id_1]",
    "passport number X1234567 -> passport number [id_1]",
    "护照号E12345678 -> 护照号[id_1]",
    "护照：EA1234567 -> 护照：[id_1]",
    "driving licence MORGA657054SM9IJ -> driving licence [id_1]",
    "national insurance number QQ 12 34 56 C -> national insurance number [id_1]",
    "AB123456C -> [id_1]",
    "SSN 123-45-6789 -> SSN [id_1]",
    "social security number: 123 45 6789 -> social security number: [id_1]",
    "驾照号 110105199001011234 -> 驾照号 [id_1]",
]
PHONES = [
    "(010)62345678 -> [phone_1]",
    "（010）62345678 -> [phone_1]",
    "（０１０）６２３４５６７８ -> [phone_1]",
    "010 62345678 -> [phone_1]",
    "021-5555-1234 -> [phone_1]",
    "0755-26001234转8 -> [phone_1]转8",
    "13800138000,13900139000 -> [phone_1],[phone_2]",
    "13800138000、13900139000都可以 -> [phone_1]、[phone_2]都可以",
    "138 0013 8000 -> [phone_1]",
    "138.0013.8000 -> [phone_1]",
    "+8613800138000 -> [phone_1]",
    "86 138 0013 8000 -> [phone_1]",
    "电话：400-820-8888 -> 电话：[phone_1]",
    "打我手机一三八零零一三八零零零 -> 打我手机[phone_1]",
    "幺三八零零幺三八零零零 -> [phone_1]",
    "微信13800138000 -> 微信[phone_1]",
    "+353871234567 -> [phone_1]",
    "+353 (0)87 123 4567 -> [phone_1]",
    "+49 30/1234567 -> [phone_1]",
    "00353 87 123 4567 -> [phone_1]",
    "087-123-4567 or 087.123.4567 -> [phone_1] or [phone_1]",
    "1-415-555-2671 -> [phone_1]",
    "415.555.2671 -> [phone_1]",
    "tel 01 234 5678 -> tel [phone_1]",
    "call me on 5551234 -> call me on [phone_1]",
    "my number is 5551234 -> my number is [phone_1]",
    "text me at 871234567 -> text me at [phone_1]",
    "my number is oh eight seven one two three four five six seven -> my number is [phone_1]",
    "zero eight seven, one two three, four five six seven -> [phone_1]",
    "my phone number is zero eight five, one one one, two three four five -> my phone number is [phone_1]",
    "WhatsApp: +44 7911 123456 -> WhatsApp: [phone_1]",
]
EMAILS = [
    "münchen@exämple.de -> [email_1]",
    "josé.núñez@correo.example -> [email_1]",
    "张三@例子.中国 -> [email_1]",
    "邮箱是张三@example.cn -> 邮箱是[email_1]",
    "иван@пример.рф -> [email_1]",
    "my mail: a.b+c@sub.example.org! -> my mail: [email_1]!",
    "jane (at) example (dot) com -> [email_1]",
    "jane at example dot com -> [email_1]",
    "jane @ example.com -> [email_1]",
    "发到wang.wu@example.com.cn。 -> 发到[email_1]。",
    "请发送到ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｎ -> 请发送到[email_1]",
    "a@b.ie;c@d.ie -> [email_1];[email_2]",
    "mailto:foo@example.com -> mailto:[email_1]",
    "o'neill@example.ie -> [email_1]",
]
CODES = [
    "code 123456 -> code [code_1]",
    "my code 123456 does not work -> my code [code_1] does not work",
    "I got code 4821 -> I got code [code_1]",
    "codes 482913, 482914 -> codes [code_1], [code_2]",
    "OTP 998877 -> OTP [code_1]",
    "the sms code you sent is 12-34-56 -> the sms code you sent is [code_1]",
    "verification code 1 2 3 4 5 6 -> verification code [code_1]",
    "code: G-482913 -> code: [code_1]",
    "482913 (code) -> [code_1] (code)",
    "482913 is the code -> [code_1] is the code",
    "PIN is four seven one one -> PIN is [code_1]",
    "my pin number is 4711 -> my pin number is [code_1]",
    "CVC2: 737 -> CVC2: [code_1]",
    "security code on the back is 737 -> security code on the back is [code_1]",
    "CVV is one two three -> CVV is [code_1]",
    'password: "correct horse" -> password: "[code_1]"',
    "my password is sunflower. -> my password is [code_1].",
    "passwd=Tr0ub4dor -> passwd=[code_1]",
    "验证码482913 -> 验证码[code_1]",
    "验证码：４８２９１３ -> 验证码：[code_1]",
    "收到的验证码是四八二九一三 -> 收到的验证码是[code_1]",
    "动态码 887766，不对 -> 动态码 [code_1]，不对",
    "短信验证码为 1234 -> 短信验证码为 [code_1]",
    "密码是123456 -> 密码是[code_1]",
    "取款密码：888666 -> 取款密码：[code_1]",
    "安全码是737 -> 安全码是[code_1]",
    "我的密码是abc_2026! -> 我的密码是[code_1]",
    "支付口令：sunflower -> 支付口令：[code_1]",
    "PIN码1234 -> PIN码[code_1]",
]
ACCOUNTS = [
    "my account 12345678 is blocked -> my account [account_1] is blocked",
    "account numbers 12345678, 87654321 and 11223344 -> account numbers [account_1], [account_2] and [account_3]",
    "account no. 1234-5678 -> account no. [account_1]",
    "a/c 12345678 -> a/c [account_1]",
    "customer number C-1002345 -> customer number [account_1]",
    "customer id: 10023456 -> customer id: [account_1]",
    "client number is one zero zero two three four five -> client number is [account_1]",
    "membership number 55512345 -> membership number [account_1]",
    "the account number of my wife is 12345678 -> the account number of my wife is [account_1]",
    "sort code 931152 -> sort code [account_1]",
    "routing number 021000021 -> routing number [account_1]",
    "客户号 10023456 -> 客户号 [account_1]",
    "客户编号：10023456 -> 客户编号：[account_1]",
    "账号为6222021234567 -> 账号为[account_1]",
    "账户12345678被冻结 -> 账户[account_1]被冻结",
    "账号12345678和87654321 -> 账号[account_1]和[account_2]",
    "会员号 88001234 -> 会员号 [account_1]",
]
NAMES = [
    "my name is John Smith -> my name is [name_1]",
    "hi my name is maria garcia lopez i can't log in -> hi my name is [name_1] i can't log in",
    "My name is Anna and I lost my card -> My name is [name_1] and I lost my card",
    "My name's Li Wei. -> My name's [name_1].",
    "the name on the card is J. Smith -> the name on the card is [name_1]",
    "Name: Anna-Lena O'Brien, born 1990 -> Name: [name_1], born 1990",
    "surname: Núñez -> surname: [name_1]",
    "my husband's name is Ahmed Khan, he -> my husband's name is [name_1], he",
    "I am called Peter -> I am called [name_1]",
    "Mr Smith told me -> Mr [name_1] told me",
    "Mrs. van der Berg from Dublin -> Mrs. [name_1] from Dublin",
    "Kind regards,\nAnna Schmidt -> Kind regards,\n[name_1]",
    "Best regards, Tom -> Best regards, [name_1]",
    "我叫张伟 -> 我叫[name_1]",
    "我叫张伟我的卡丢了 -> 我叫[name_1]我的卡丢了",
    "您好，我叫王小明，请问 -> 您好，我叫[name_1]，请问",
    "我的名字是李娜 -> 我的名字是[name_1]",
    "姓名：欧阳修 -> 姓名：[name_1]",
    "持卡人：刘德 -> 持卡人：[name_1]",
    "收款人是陈晓东 -> 收款人是[name_1]",
    "我姓陈 -> 我姓[name_1]",
    "王先生说可以 -> [name_1]先生说可以",
    "找李女士 -> 找[name_1]女士",
    "我叫Anna Schmidt，想开户 -> 我叫[name_1]，想开户",
    "我叫小红。 -> 我叫[name_1]。",
    "我老公叫什么不重要，我叫赵敏 -> 我老公叫什么不重要，我叫[name_1]",
]
ADDRESSES = [
    "I live at 12 Main Street, Dublin 2, and my card -> I live at [address_1], and my card",
    "My address is Flat 3, 45 Oak Road, London SW1A 1AA. Thanks -> My address is [address_1]. Thanks",
    "my new address is Hauptstraße 5, 10115 Berlin -> my new address is [address_1]",
    "address: 221B Baker St, London -> address: [address_1]",
    "send it to 10 Downing Street please -> send it to [address_1] please",
    "we moved to 7 Harbour View, Cork last week -> we moved to [address_1] last week",
    "my address is 1600 Pennsylvania Avenue NW, Washington, DC 20500 -> my address is [address_1]",
    "address is 5 rue de la Paix, 75002 Paris -> address is [address_1]",
    "my address: PO Box 123, Cork -> my address: [address_1]",
    "我住在北京市朝阳区建国路88号3栋1201室 -> 我住在[address_1]",
    "地址：上海市浦东新区世纪大道100号，我的卡 -> 地址：[address_1]，我的卡",
    "请寄到广州市天河区体育西路5号302室，谢谢 -> 请寄到[address_1]，谢谢",
    "住址改为中山路十二号三单元 -> 住址改为[address_1]",
    "我搬到解放路66弄2号了 -> 我搬到[address_1]了",
    "家庭地址是幸福小区3号楼2单元501 -> 家庭地址是[address_1]",
]
ALL = [*CARDS, *IBANS, *IDS, *PHONES, *EMAILS, *CODES, *ACCOUNTS, *NAMES, *ADDRESSES]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case[:30])
def test_masks(case: str) -> None:
    text, expected = case.split(" -> ")
    masked = mask(text)
    assert masked.text == expected
    assert mask(masked.text).text == expected


def test_the_tables_are_as_large_as_they_are_meant_to_be() -> None:
    assert len(set(ALL)) == len(ALL) >= 150


def test_all_kinds_of_one_message() -> None:
    text = (
        "My name is Maria Keller, I live at 12 Main Street, Cork. Card 4111.1111.1111.1111, CVV 737, account 12345678, "
        "passport X1234567, DE89370400440532013000, 087 123 4567, maria@example.org"
    )
    assert mask(text).text == (
        "My name is [name_1], I live at [address_1]. Card [card_1], CVV [code_1], account [account_1], "
        "passport [id_1], [iban_1], [phone_1], [email_1]"
    )


def test_what_a_long_call_says_is_masked_line_by_line() -> None:
    text = "Agent: the code please\nCustomer: it is four eight two nine\nCustomer: 我叫张伟，电话13800138000"
    assert "张伟" not in mask(text).text and "13800138000" not in mask(text).text
