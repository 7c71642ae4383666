"""What customers say who need a human, kind by kind, in plain and in indirect words. Some of it was written before the rules, some after them."""

import pytest

from parley.domain.risks import risks
from schemas.parts import RiskKind

SELF_HARM = """
I can't go on
I don't want to be here any more
everyone would be better off without me
there's no point in living
I've got the pills in front of me
I just want it all to end
I want to kill myself
I see no way out any more
thinking of ending it
I wish I would never wake up again
不想活了
活着没意思
我想从桥上跳下去
撑不下去了
死了算了
没有我他们会更好
想结束这一切
遗书写好了
真想一觉睡过去不再醒来
What's the use, I'd be better dead
I just don't want to exist
If I weren't around my kids would get the insurance
I've been thinking about how to do it
there's only one way out for me
I'm so tired of living
Tonight I'm going to put an end to it
I can't live with this debt, I'm going to hang myself
My son says he will throw himself under a train
nothing matters anymore, goodbye
I don't see a reason to wake up tomorrow
i am done with life
I stand on the balcony and look down
just let me die
活得好累，不想再醒过来
跳下去就什么都解决了
我真的熬不下去了
人间不值得，想走了
如果我不在了，保险能赔给孩子吗
我已经写好了告别信
每天都想着怎么离开这个世界
这辈子就这样了，没有活头了
想一了百了
我吞了一瓶药
I want to end my life
I cannot take this any longer, I want out of this life
nobody would care if I died
my brother is talking about suicide
I hate living
I've lost the will to carry on
it would be easier if I were dead
I'm going to swallow all my tablets
I'm thinking of jumping in front of a train
there is nothing left for me in this life
I feel like ending everything
please look after my cat when I'm no longer alive
我想自杀
活着太累了
我不想再活下去了
死了一了百了
没有活下去的理由
我要跳楼
想割腕
我已经绝望了，不如死了
"""
FRAUD = """
I don't recognise this payment of 89 euros to a shop in Ohio
somebody has been using my card online
I've been scammed out of my savings
There's a withdrawal on my statement that I never made
a man from your security team had me move everything to a safe account and now it's gone
my online banking was hacked last night
I read my one-time code to a caller and the account is empty
someone took out a loan in my name
what is your fraud hotline
who is debiting my account? I never signed anything with them
my balance was wiped out overnight
there is a subscription I never signed up for
我的卡被盗刷了三百欧元
有一笔消费不是我做的
骗子让我转了五千欧元
我把验证码告诉了打电话的人
账户里的钱一夜之间没了
有人冒用我的身份开了账户
我从没授权过这笔扣款
被假客服骗走了两万
Two cash withdrawals in Naples on Sunday - I was in Dublin the whole week
Some lady rang pretending to be you lot and I told her the numbers she wanted
My PIN was changed and it was not by me
Nine hundred quid left my account and I have no idea where it went
The investment site I put 3000 into has vanished
I bought a phone from a website that turns out to be fake
who is paying for Netflix with my card?? not me
Please stop this payment, I've been conned
My daughter's account was emptied by someone on the phone
They cloned my card at the petrol station
I approved a push notification but it wasn't my purchase
a stranger has my login
卡明明在我手里，昨晚却在广州被人取了两千
对账单上多出一笔没见过的付款
我点了短信链接填了卡号，然后钱就少了
网恋对象让我汇了一万，现在联系不上了
有人用我身份证办了贷款
这笔钱不是我花的，谁刷的？
帐戶被盜，錢不見了
我妈被电话里的人哄着转走了积蓄
My card bought petrol in Lyon this morning and I've never been to France
The bank account I wired the rent to belongs to a con man
My mother sent her savings to a man she only knows from Facebook
hackers are in my account right now
I see three Amazon orders I know nothing about
Someone rang as Microsoft and had control of my laptop while I was in my banking
500 euros are gone and I didn't spend them
this debit is not from me
I handed over my security code by mistake to a caller
Apparently somebody opened a credit card using my passport
不知道谁在用我的卡付款
有人打电话说是公安，我把钱都转过去了
我的手机号被人补办，银行卡里的钱也转走了
收到取款短信，可是我没有取钱
我被网上投资骗了八万
Somebody called me pretending to be the bank and took 3,000 euro from me
I got a text message with a link and I typed in my PIN and password there.
someone phoned me claiming to be from the bank and took all my savings
a man called, said he was from Alder Bank, and now 2,000 euros are gone
a lady rang me pretending to be from your bank and emptied my account
they pretended to be the bank and took my money
somebody pretended to be my bank and I lost 900 pounds
I clicked on a link in a text and typed my password in
I entered my card details on a link from a text message
I put my PIN into a page that came with an SMS
I followed a link in an email and gave my login
I typed my PIN on a website that wasn't yours
there was a link in the message and I entered my details
the message had a link, I opened it and filled in my card number
I tapped on the link and put in my online banking password
I gave my password on the link they sent
I typed my password on a link
I filled in my card number and code after clicking a link in an email
he said he was calling from the bank and then he transferred my money
a caller posing as bank staff took 500 from my account
I was called by someone pretending to be the fraud team and they got my money
the person on the phone said they were the bank and I gave them my code
someone pretending to be my bank got my password out of me
they told me they were from the bank's security and now my money is gone
A guy rang up, he claimed he was with the bank, and he's taken my money
Someone impersonating the bank called and 1,500 has disappeared from my account
I had a call from a person who said she worked for Alder Bank, and afterwards 700 euro was missing
They rang pretending to be my bank and cleared out my savings
a woman phoned and pretended she was from the bank, she made me transfer 4,000
I think I put my pin in on a fake link
I received a message with a link yesterday and stupidly entered my password
my mother clicked a link in a text and entered her card number
I filled in my details on a page from a text message
I got an email with a link and I logged in with my password
I've given my online banking password on a website from a link in a WhatsApp
I clicked the link and typed everything in, card number, PIN, all of it
there was a text about a parcel and I entered my card details on the link
somebody phoned and said they're from the bank's fraud department and they took 3000 out of my account
a person who pretended to be a bank employee has taken money from my account
the caller pretended to work for you and got 250 euros off me
I opened the link from the text message and submitted my passcode
Some man who said he was from the bank got me to read out my codes and the money is gone
I was phoned by the bank, well it wasn't the bank, and they took two thousand pounds
"""
HARDSHIP = """
I lost my job and can't pay the mortgage
we can't make ends meet any more
I'm three instalments behind and don't know what to do
could I get a payment holiday
my hours were cut and the loan is too much for us now
I have no income since the accident
drowning in debt
bailiffs are coming on Monday
I don't have enough to pay the rent and the loan
失业了，房贷还不起
这个月的信用卡还不上了
能不能延期还款
欠了一屁股债，不知道怎么办
手头太紧，月供交不起
公司倒闭了没有收入
My shop went bust and I cannot service the loan
We had twins, my wife stopped working and the instalments are eating us alive
After the divorce I'm left with all the debt
Could you freeze my repayments until I find work
I've fallen on hard times
There's nothing left at the end of the month for the mortgage
I can only manage half of the instalment from now on
I'm on sick pay and the bills keep piling up
I'm scared we will lose the house
my benefits were stopped and I can't cover the direct debits
is there help for people who can't repay
I got laid off yesterday
货款收不回来，贷款怕是要逾期了
孩子住院花光了积蓄，这几个月还不了款
工资停发三个月，实在没钱还
月供压得我喘不过气
能不能先还一半，剩下的缓一缓
我被裁员了，贷款怎么办
一家四口就靠我，还不起了
生意失败，欠银行的钱没法还
I can no longer afford the repayments
my husband was made redundant and we are short every month
Is there any way to lower my instalments, I've been ill
I'm going through a bankruptcy
we've got no money for food until Friday
I'm worried I'll miss the next mortgage payment
too many debts, please help me
I owe more than I earn
pay cut, can't keep up the loan
这个月真的还不起房贷
老公失业，家里快揭不开锅了
想申请减免利息，实在没钱了
欠的钱太多，每天被催债
没有收入，能不能缓几个月再还
"""
DISPUTE = """
How do I dispute a transaction?
the hotel charged me although I cancelled in time
I was charged twice for one coffee
the web shop never delivered and won't refund me
I want to open a chargeback
the seller sent me a broken phone and refuses to take it back
cancelled my gym and they keep charging me
the waiter booked 85 instead of 58
商家不发货也不退款
同一笔消费扣了两次
我要对这笔刷卡提出争议
酒店取消了还扣我钱
收到的是假货，卖家不退钱
The parcel never showed up and the shop ignores my mails
They took the deposit even though I cancelled
My card got billed for two tickets, I only bought one
the garage wants to keep my money for a repair they never did
How can I contest what the airline took from my card?
I returned the dress but the boutique refuses to credit me
I never agreed to the price the taxi debited
Wrong sum on my card: receipt says 12, booking says 120
I want to reverse a card payment to an online shop
got an empty box instead of the laptop, seller won't answer
衣服和图片完全不一样，店家拒绝退货退款
明明退订了会员，平台还是每月扣钱
刷卡刷了98，账单上却是980
演唱会取消了，钱一直不退
对这笔扣款我不认可
餐厅收了我两回钱
The seller took my money and vanished
I'd like to dispute last week's purchase
They billed me for a hotel room I never stayed in
The streaming site continues to bill me after I unsubscribed
The shop swiped my card three times for the same shoes
merchant says no refund but the jacket is torn
they charged 200 instead of 20
I want to claim my money back for undelivered tickets
店家收了两次钱
网上买的东西一直没发货，商家也不理人
退房后酒店又从卡上扣了一百
我要申请退单
"""
LEGAL = """
I will sue you
you'll hear from my lawyer
see you in court
I am going to take legal action
my solicitor is preparing a claim against the bank
this is illegal and I know my rights
we are filing a class action
I will press charges
我要起诉你们
法庭上见
我的律师会联系你们
你们这是违法的
我要告你们
My attorney will be in touch
expect a writ
I'm consulting a solicitor about this
We'll let the court decide
You are in breach of contract and will pay for it
I'll take you to the small claims court
next step is my lawyer
I intend to bring proceedings against your bank
I'm reporting you to the police
Your conduct is against the law
I reserve all my legal rights
咱们走法律程序吧
律师函马上寄到
再不退钱就法院见
我保留起诉的权利
准备好当被告
你们侵犯了我的隐私权，我要维权
我会通过法律途径解决
I'm going to take you to court
you'll get a letter from my attorney
I have already spoken to a lawyer about suing you
My barrister advised me to claim damages
this will end up before a judge
I demand compensation or I go to court
prepare for a lawsuit
准备吃官司吧
我已经请律师了
我要去法院起诉你们
法院的传票很快就到
"""
COMPLAINT = """
I want to file a complaint about your branch
this is the worst service I have ever had
I am furious about how I was treated at the counter
your staff were rude to my mother
I'll go to the ombudsman
third time I write and nobody answers
you people are useless
I expect an apology
absolutely unacceptable
我要投诉你们的柜员
你们的服务太差了
等了一个小时没人理我，气死我了
我要一个说法
对你们非常失望
Your hotline is a joke, 50 minutes of music
I'm extremely dissatisfied with how this was handled
Nobody in your bank seems to care about customers
The lady at the desk treated me like dirt
I've had it with this bank
Where do I send a formal grievance?
You promised to ring back on Monday and nobody did
How dare you charge me for your own mistake
This is the fourth letter I've sent and still no answer
I'm going to tell the regulator about this
what an incompetent bunch
I am so disappointed in you
你们员工说话阴阳怪气的，让人受不了
办个业务跑了四趟，什么效率
我要向银保监会反映
处理了半个月还没结果，你们太不负责任
这就是你们的服务？太让人失望了
把我的事情当皮球踢
我要求你们书面道歉
I have a serious complaint to make
Honestly, the worst bank in the country
Your adviser lied to me about the fees
I'm sick of being passed from one department to another
nobody ever calls back at your place
This treatment is a disgrace
I am not happy at all with the way you work
I was insulted by your cashier
你们办事效率太低了，我要投诉
客服态度恶劣
太过分了，你们必须给我解释
这家银行真是垃圾
我要向上级部门反映你们
"""
HUMAN = """
can I talk to a real person
agent please
put me through to a colleague
stop this bot and give me a human
I need to speak with an adviser
call me back please
is there anyone real I can chat with
this bot is useless
let me speak to your manager
转人工
我要找真人客服
能不能让人给我回个电话
别再用机器人回复我
我想跟你们的经理谈
接客服
Could I please have a word with somebody from the bank?
No more machine, get me a person
I'd feel better talking to an actual employee
Is a colleague free right now?
I don't want to type all this, just phone me
Can you put my adviser on?
You don't get it. Somebody else please
transfer this chat to a team member
I want to be called by an advisor
someone human, please!
csr
how do I get to a live agent
need assistance from a real person
你是机器人吧？我要跟人讲
请把我转到人工坐席
有没有活人能回答我
帮我叫一下客户经理
可以安排专人联系我吗
打我电话吧，打字说不清
我不跟机器聊
請轉真人客服
I want a human being
May I speak to one of your employees?
Please transfer me to customer service
a real agent please, not a bot
could someone from the branch call me?
I wish to talk with a manager
let me chat to a live person
enough with the robot
人工服务
我要跟真人讲话
请帮我接客服
让你们经理给我打电话
不想和机器人聊了
"""

SAID: dict[RiskKind, str] = {
    "self_harm": SELF_HARM,
    "fraud": FRAUD,
    "hardship": HARDSHIP,
    "dispute": DISPUTE,
    "legal": LEGAL,
    "complaint": COMPLAINT,
    "human": HUMAN,
}
CASES = [(kind, text) for kind, texts in SAID.items() for text in texts.strip().split("\n")]


@pytest.mark.parametrize(("kind", "text"), CASES, ids=[text for _, text in CASES])
def test_a_risk_is_heard(kind: RiskKind, text: str) -> None:
    assert kind in {risk.kind for risk in risks(text)}
