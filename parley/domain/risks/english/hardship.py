"""English: somebody cannot pay what is owed. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
(instal(l)?ment*|payments|months|rates|rents) behind
hardship*
{cannot} .. (make|pay) .. (payment*|instal*) .. (on the|this month|next month|1st|in time|due)
break from .. (payment*|loan|mortgage)
(pay|settle) .. (bill|invoice|debt) in instal(l)?ment*
(short of|short on) cash
only have (half|part of) the money
(salary|wages|pension) .. (late|delayed) .. pay
(don't have|haven't got) the (cash|money)
(payment|repayment|mortgage) (holiday|break|pause|deferral|difficult*|plan for my debt*|arrears|relief|freeze|moratorium|arrangement)
moratorium
{cannot} .. (pay|repay|afford|make|keep up with|meet|cover|settle|manage|service|pay off|pay back|maintain|handle|clear) .. (my |our |the |this |next |your )?{debt}
{cannot} (repay|afford|pay back|pay off|pay it back|pay you|keep up|pay anymore|pay any more|pay this month|pay next month|make ends meet|pay rn|pay what|pay right now|pay everything|pay anything|pay them back|pay all|pay more|feed|buy food|pay back)
{cannot} .. (monthly payment*|instal(l)?ment*|mortgage payment*|loan payment*|loan back|ends meet|the rent|my rent|our rent|repay*|debts)
(won't|will not|might not|may not|not) .. (be able|manage) .. (pay|repay|make my|make the|meet|afford)
(no|not enough|don't have (any|the|enough)|don't have|have no|without|haven't|haven't got|haven't any|ran out of|run out of|running out of|out of|short of|short on|low on) (any |the |enough )?(money|cash|income|funds|savings|job|work) .. (pay|loan|mortgage|rent|bill*|food|eat|debt*|live|left|month|instal*|due|until|repay*|groceries|kids|children|to|for|at all|anymore|any more|and)
(no|zero|lost .. |lost all|any) income
no money left
(broke|skint|penniless|bankrupt*|insolven*|destitute|homeless|impoverished|hard up|cash-strapped|strapped for cash)
(lost|losing|lose) (my|his|her|their|our|the) (job|work|employment|income|business|house|home|livelihood|main client|shop)
(husband|wife|partner|spouse|i|we|son|he|she) .. (lost|losing) .. (job|work|income)
(laid off|made redundant|redundanc*|was fired|got fired|been fired|got sacked|unemploy*|jobless|furlough*|out of work|out of a job|between jobs|lost work|short-time work|dismissed from)
(job|company|employer|hours|salary|wage*|pay|income|pension|earnings|business|shop) .. (cut|halved|dropped|reduced|shrunk|fallen|went under|gone under|closed|collapsed|bankrupt|stopped|less|too small|lower) .. (pay|loan|mortgage|rent|bill*|debt*|afford|instal*|rate*|payment*|repay*|month|owe|living)
(earn|earning|get|have) (less|much less|nothing|too little|so little) .. (pay|loan|mortgage|rent|instal*|rate*|month*|since|now|because|bill*)
(behind|fallen behind|falling behind|fell behind|late|getting behind) (on|with|in) (my|our|the|his|her|several|some|two|three|rent|mortgage|loan|payments|bills|repayments|instal*|credit|2|3)
(missed|skipped|missing) .. (payment*|instal*|repayment*|mortgage|loan|rate|rates)
(in|into|of|with|so much|too much|lot of|deep in|drowning in|buried in|high|huge|massive|serious|heavy|crushing|growing|overdue|unpaid|old|mounting|getting out of|help with (my |our |the )?|worried about (my |our |the )?|spiral* of) (debt|debts)
(debt|debts) (is|are|keep*|advice|counsel*|advis*|help|relief|problem*|collector*|spiral|trap|keeps|restructur*|charity|grow*|crush*|consolidation because|too|have|has|i can)
(i|i've|we) (have|got|'ve got|'m having) (debts|too many debts|so many debts|a lot of debt*)
arrears
(default|defaulting|defaulted) on (my|our|the|a|his|her)
(struggl*|battling|fighting|having trouble|difficult*|strain*|hard time|tough time|hard times|difficult time*|rough patch|bad patch|tight) .. (financial*|money|pay|paying|make ends|bills|loan|mortgage|rent|repay*|instal*|debt*|payments|afford)
(financial*|money|economic|monetary) (difficult*|trouble*|problem*|hardship|crisis|distress|struggl*|worr*|stress|situation is|help|assistance|support|emergency|pressure|ruin|is tight|is short|trouble|strain*)
(financially) (struggl*|difficult|in trouble|ruined|hard|unstable|strained|vulnerable|stressed)
(in|with|of) (serious |big |deep |great )?(financial|money|economic) .. (difficult*|trouble*|problem*|need|crisis|distress)
money (is|was|'s|has been|got) (very |so |really |extremely |a bit |too )?(tight|short|scarce|not there|running out|gone before)
(make|making) ends meet
(hand to mouth|paycheck to paycheck|food bank|food bank*|foodbank|on benefits|benefits only|social welfare|on the dole|universal credit|choose between (heating|food)|heating or eat*)
(hardly|barely|can't|cannot|not) .. (buy|afford) .. (food|groceries|medicine|heating|nappies)
(evict*|foreclos*|repossess*|bailiff*|lose (my|our|the) (house|home|flat|car)|take (my|our) (house|home)|losing (our|my) (house|home))
(defer*|postpon*|paus*|suspend*|delay*|put off|extend*|stretch*|push back|skip|stop|reduc*|lower*|decreas*|freez*|reschedul*|halt|hold off) .. (loan|mortgage|instal(l)?ment*|repayment*|my payment*|our payment*|the payment for|monthly payment*|monthly rate|credit card payment*|debt*|my rate*|my bill)
(payment*|instal*|loan|mortgage|rate*) .. (too high|too much|killing (me|us)|crushing|unaffordable|beyond my|can't manage|out of reach|eat* up) .. (now|me|us|since|for me|income|anymore|any more|$)
(need|give me|give us|want|get|have|grant) (some |a bit |a little |a few |more |extra |little )*(more |extra )?(time|days|weeks|months) .. (to pay|to repay|pay back|to settle|for my (payment|bill|loan)|for the (payment|bill|loan|instal*)|until i can pay)
(pay|settle|pay off|pay back|repay) .. (later|bit by bit|in small* (parts|amounts|instal*)|in part|only half|only part|little by little|when i get|once i get|next month|after payday|after my salary)
(pay|payment) (later|late|a few weeks later) .. (this month|money|salary|short|tight|wages|job|broke|possible)
(carry|shoulder|bear|cover|manage) .. (mortgage|loan|rent|bill*|debt*|payments) .. (alone|on my own|anymore|any more|by myself|no longer|this time)
(payment plan|repayment plan|payment arrangement|payment agreement|instal(l)?ment agreement) .. (debt*|arrears|owe*|bill*|overdue|unpaid|because|invoice*|fine)
(split|spread) .. (owe|debt*|arrears|overdue|bill)
(owe) .. (can't|cannot|not|no|can't pay|unable|couldn't|don't have)
(hardship|financial support|money advice|debt advice|vulnerable customer*|collections|debt management) (team|department|program*|fund|scheme|plan|help|support)?
(reduced|social|discount*) (rate|tariff) .. (need|poor|low income|unemployed|benefits|struggl*)
(ill|illness|sick|sick leave|accident|disab*|cancer|divorce*|separat*|maternity|widow*|died|death|burnout|injur*) .. (can't|cannot|couldn't|unable|no longer|not|no income|less income|halved|struggl*) .. (pay|afford|loan|mortgage|rent|bill*|instal*|income|work|cover|carry|keep up)
afraid .. (can't pay|default|lose (my|the|our) (house|home|flat))
(overdue|unpaid|outstanding) .. (no money|can't|cannot|unable|help)
(living|live) (on|off) (benefits|welfare|savings|credit cards|my credit card|my overdraft|noodles)
(single (mother|mum|mom|parent|dad|father)) .. (can't|cannot|pay|afford|money|manage|bill*)
poverty
(defer|delay|postpone) (my |the |a )payment*
(credit card*|bill*|loan*) .. (can't pay|cannot pay|unable to pay|not able to pay|no money)
wipe* out financially
(down to (my|our) last (euro|penny|pound|cent|dollar|few))
({debt}|payments|costs|rates|fees|interest) .. (eat*|kill*|crush*|bury*|strangl*|destroy*|ruin*|suffocat*|swallow*) (us|me|my family|everything)
left with .. (debt|debts|loan*|bills|nothing)
hard times
(nothing|little|not much|no money|barely anything) .. left ... (month|mortgage|loan|rent|bills|food|week|payday|pay|live)
(can|could) only (pay|manage|afford|send|transfer|spare) .. (half|part|some|bit|little|small|percent|less|of)
(only|just) .. (half|part|fraction) of (the|my|our|this) (instal*|payment|bill|rent|rate|mortgage|loan)
(bills|debts|reminders|invoices|letters|arrears) .. (pile|piling|piles|pil*|mount*|stack*|grow*) (up)?
{cannot} .. (cover|honour|honor|service|carry|shoulder|keep) .. (direct debits|standing orders|costs|loan|mortgage|debt*|bills|payments|rent)
(benefits|pension|salary|wage*|income|maintenance|sick pay|allowance|overtime|hours) .. (stopped|cut|gone|ended|not coming|reduced|less|halved|suspended|not enough|doesn't cover|don't cover|no longer cover*|dried up)
(went|gone|going) (bust|under|broke|bankrupt)
(until|till) i (find|get|have|got|start) .. (work|job|salary|paid|wage*|back on my feet)
(back on (my|our) feet|get through (this|the) (month|winter)|above water|sinking|living month to month|rob* peter|pay one (loan|card|debt) with)
(choose|choosing|decide) between .. (food|rent|heat*|loan|bills|medicine)
(sold|selling|pawn*) (my|our|the) (car|furniture|ring|jewel*|house) .. (pay|loan|debt*|rent|mortgage)
(borrow*|borrowing) from (friends|family|my parents|everyone) .. (pay|loan|rent|live|mortgage)
miss .. (mortgage|loan|rent|instal*|repayment|payment)
(i|we) owe (more|too much|so much)
(too|so) many debts
worried .. (mortgage|rent|loan|repay*|debt*|instal*|bills)
""")

UNLESS = listed("""
(if|when) i only
lost my job contract
{cannot} .. (pay|make|keep up with|handle|manage|clear|settle|cover|meet|maintain|pay off) .. (with|by|using|via|through|in the app|online|at the|abroad|contactless|in store*|on the website|on your website|at checkout|because (the|your|my) (app|card|page|website|terminal|phone|login|link|button)|error|button|in cash|by phone|from my phone|with it|at a|page|app) .. (card|app|phone|website|apple|google|paypal|pin|page|watch|shop|store|terminal|till|abroad|online|internet|machine|supermarket|contactless|checkout|cash|it|error|button|visa|iban|transfer|here|anywhere|mastercard|password|code|account)
{cannot} (pay|make (a |my |the |any )*payment*) (with|by|online|at|in|using|contactless|via|through|abroad|anything online|anywhere|here|for my order|for it)
{cannot} .. (make|complete|do|send|schedule|authori(s|z)e|confirm|approve|process|set up) (a |my |the |any |this |card |online |international |an |instant |some |contactless )*(payment*|transfer*|purchase*|transaction*)
{cannot} (find|see|open|access|download|view|understand|read|locate|get|print|log|enter|add|use|change|activate|remember|reach|receive|withdraw) ... {debt}
(pay|paying) (off |back )?(my |the )?(loan|mortgage) (early|sooner|ahead|faster|before)
(difficulty|difficulties|trouble|problems) (with|in|logging|getting|finding|using|opening|accessing|activating|making|adding|paying (with|by|online|at))
(pay|settle) .. (later|next month) (by|with|using) (card|apple|google)
(hardship) (score|level) game
debt (consolidation|fund|securities|market|ceiling|to income)
(government|national|public|bad) debt*
out of (cash|money) (machine|atm|dispenser)
(machine|atm) .. (no money|no cash|out of (cash|money))
{not} (bankrupt|broke|behind|in debt|unemployed|insolvent)
(shop|store|seller|company|merchant|airline|firm|bank|you|retailer|provider|they|broker|insurer) (is|are|was|went|goes|has gone|gone|going|become|becomes|declared|being|were|go|went) .. (bankrupt*|insolven*|broke|under)
broke (down|my|the|his|her|up|off|in|into|through|out|again|when|after|it|a|and)
(card|phone|screen|machine|terminal|chip|it|app|this|that) (broke|is broke|just broke)
(bankrupt*|insolven*) of (the|a|your|my) (bank|shop|store|merchant|company)
(bank|bank's) (insolvency|bankruptcy)
(bill|payment|direct debit) although there was no money
(missed|missing) (my |the |a )?(payment*|rate|rates) (from|for my|of my|into|reminder|notification|confirmation) .. (employer|salary|customer|friend|client|refund)?
(missing) (payment|payments)
(get|withdraw|transfer|take|put|send|receive|deposit|exchange|save) .. no money to
how (much|many|high) .. (income|earn)
(freeze|unfreeze|stop|cancel|suspend|delay) .. (card|transfer|standing order|direct debit|my payment|payment)
(interest rates|savings rate|exchange rate|inflation)
job (contract|offer|letter|interview|title|description)
(unemployed|jobless|benefits) .. can i (open|get|have|apply)
(overdraft|account|card|loan) (on|with|without) (benefits|income|a job)
open .. account
(i|i've|have) lost my job (contract|offer|description)
""")
