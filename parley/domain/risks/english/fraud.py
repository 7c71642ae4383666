"""English: money, card, account or identity in the hands of somebody else. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
(had|made|got) me (move|transfer|send|pay|buy|install|confirm)
(safe|secure) account ... (gone|disappeared|vanished|empty)
fraud*
(numbers|number|phone) .. (sends|sent) .. i did not
(caller|man|woman) wanted my (pin|code|password|card) ... told
(code|pin|password) i (shared|gave|told)
(pretending|pretended|pretends|posing) to be me
fake .. (website|site) stole
sim .. (dead|stopped working) ... money
frauded
fruad
frued
defraud*
(scam|scams|scammed|scammer*|scamming|scamer|scamed)
sacmmed
(phished|vished|spoofed)
(swindl*|conned|con artist|con man|conman|rip-off artists|crooks|crook|impost(e|o)r|impersonat*)
(identity|id) (theft|stolen|thief|misused|fraud)
(stole|stolen|steal|stealing|misused|misusing|misuse|has|have|got|selling|copied|using) .. my (identity|passport copy|id card|personal details|data|login)
in my name .. (never|not|didn't|haven't|without)
(opened|took out|taken out|signed|applied) .. in my name
{someone} (who |has |have |had |is |are |was |keeps |just |must |may |might |could |be |been |probably |obviously |definitely |else |besides me |other than me |in .. )*(used|using|use|accessed|accessing|hacked|hacking|cloned|copied|skimmed|emptied|emptying|drained|draining|cleaned out|stole|stolen|stealing|withdrew|withdrawn|withdrawing|spent|spending|taking|took|taken|transferred|transferring|logged|logging|charging|charged|changed|broke|ordered|ordering|bought|buying|paid|paying|pay|sent|swapped) .. (my|our|his|her) .. (card*|account*|money|details|name|identity|data|phone number|number|sim|pin|password|savings|profile|online banking|bank|funds|salary|info*|credit)
{someone} (has |have |had |is |are |was |just |must have )*(took|taken|taking|stole|stolen|stealing|withdrew|withdrawn|withdrawing|spent|charged|transferred|debited) .. (money|cash|euros|pounds|dollars|funds)
{someone} (got|has|had|gained|may have gained|have|getting|gotten) (in|into|hold of|access to) (my|our|the info)
{someone} (knows|has|have|got|know) my (pin|password|code|card details|card number|bank details|login|card info*|account details|otp)
{dont} (ever |really |actually |knowingly |personally |even )*(make|made|do|did|done|place|placed|sign|signed|sign up for|agree to|agreed to|initiate|initiated|request|requested|consent to|set up|buy|purchase|approve|approved|authori(s|z)e|authori(s|z)ed) (this|that|these|those|the|any|some|a|an|such|two|three|several|anything) (of )?(these |those |the |such )?(strange |online |recent |last |atm |cash |direct |card )*{payment}
(i|we) (definitely |really |actually |certainly |myself |just |for sure |know i )*{dont} (ever |really |actually |knowingly |personally |even |definitely )*(make|made|do|did|done|authori(s|z)e*|approve*|place*|initiate*|perform*|purchase*|complete*|withdraw*|withdrew|take out|took out|set up|consent to|sign up) (it|this|that|these|those|them|myself|$|and|so|yet|at all|by me|the withdrawal|because)
(says|shows|showing|listed|claims|states|message|statement|app) .. i (made|did|withdrew|took|purchased|paid|bought|sent) ... (didn't|did not|never|don't remember|do not remember|cannot remember)
never seen (it|that|this|these|them|before|such)
(wasn't|was not|weren't|isn't|is not|aren't) (me|mine|ours|my doing|made by me|done by me|authori(s|z)ed|us|by me|from me|my transaction*|my purchase*|my payment*|my charge*)
(not|never) (me|mine|my (transaction*|payment*|purchase*|charge*|doing)|made by me|done by me|authori(s|z)ed by me)
it wasn't (me|us)
(no idea|don't know|do not know|unsure|not sure|no clue) (what|where|who|why) (this|these|that|those|the) .. (payment*|transaction*|charge*|debit*|withdrawal*|purchase*|money) (is|are|came|comes|from|was|were)
(don't|do not|didn't|did not|can't|cannot|never|not) (recogni(s|z)e*|recollect|recongi(s|z)e*|reconi(s|z)e*|recogni(s|z)ing)
(don't|do not|can't|cannot) (remember|recall) (making|doing|this|that|buying|ordering|paying|withdrawing)
isn't recogni*
{payment} .. (i|we) (definitely |really |actually |certainly |just |for sure |know i )*{dont} (ever |really |actually |knowingly |definitely |even )*(make|made|do|did|done|authori(s|z)e*|approve*|recogni(s|z)e*|sign*|agree*|remember|order*|place*|confirm*|request*|know about|know of|know anything|initiate*|perform*|buy|bought|set up|purchase*|go to|complete*|consent*)
{payment} (that |which )?(i|we) know nothing about
don't know (this|that|these|those|the) (payment|transaction|charge|debit|purchase|withdrawal)*
(took|taken|stole|withdrew|charged) .. (money|cash|euros|pounds|dollars) .. from (me|us)
(unknown|unfamiliar) (company|firm|shop|person|people|merchant|business)
(charged|debited) me .. (no account|never|no contract|don't know)
(i|we) ({dont}) (make|made|do|did|done|authori(s|z)e*|approve*|sign|signed|agree*|order*|place*|confirm*|request*|initiate*|perform*|buy|bought|take out|took out|withdraw*|withdrew|send|sent|spend|spent|book|booked) (it|this|that|these|those|anything|(the |any |a |such |of those |two )*{payment})
unauthori(s|z)ed
un-authori(s|z)ed
(not|never|{nt}|without) (been )?(authori(s|z)ed|my (permission|consent|knowledge|authori(s|z)ation|approval|agreement|authority))
without (me|my) (knowing|permission|consent|knowledge|authori(s|z)ation|approval|okay|agreement)
(unknown|questionable|shady|unathori(s|z)ed|unauthori(s|z)ed|unrecogni(s|z)ed|unfamiliar|strange|suspicious|weird|mysterious|mystery|unexplained|dodgy|bogus|fishy|odd|unusual|unexpected|random|fraudulent|illegal|fake|false|bizarre|rogue|funny|unrecogni(s|z)able) .. (payment*|transaction*|charge|charges|debit*|withdrawal*|transfer*|purchase*|activity|deduction*|login*|entry|entries|direct debit*|device|booking*|order|orders|expense*)
(payment*|charge*|debit*|withdrawal*|purchase*|money|contract*) (to|from|at|by|with) (a |an |some |the )?(shop|company|firm|person|country|city|place|unknown|website|store|stranger|vendor|merchant) .. (never|don't know|do not know|not know|no contract|unknown)
(company|shop|firm|person|place|country|city|someone|store|website|people) (that |which |who |where )?(i|i've|i have|we|we've) (have )?(never|don't|do not|no) .. (know|heard|been|visited|used|bought|recogni(s|z)e|contract|account|dealt)
never (even )?(been to|been there|bought anything|shopped|heard of|visited|ordered|signed|set foot)
i have no (contract|account|business|dealing*) with
(money|cash|funds|savings|balance|euros|pounds|dollars|everything|salary|wages) .. (gone|missing|stolen|vanished|disappeared|disappearing|drained|emptied|wiped|cleaned out|lost to|taken out)
(missing|stolen|stole|steal|stealing|disappeared|vanished|rob|robbed|lost) (my |our |all |some |of |the |me |all my |all of my |almost |about |over |nearly )*(money|cash|funds|savings|euros|pounds|dollars|life savings|salary)
money missing
money left my bank
(account|balance|savings) (was|is|has been|got|been|were) (just |completely |suddenly )?(emptied|drained|wiped|cleaned out|hacked|compromised|breached|taken over|accessed by|empty overnight|used by|robbed)
(card|account|details|identity|data) (is |was |has been |have been |being |got |were |are |been )*(used|accessed|charged|using) (by|online by|online without|without|fraud*|for things|to (make|buy|pay))
(empt*|drain*|clean* out|wip*|raid*) (out )?(my|our|his|her) (account*|savings|bank account|balance)
(my|our|his|her|the|mum's|dad's|mother's|father's) (bank |online |whole |online banking |e-banking |email |phone |credit |debit |card |savings |current |app )*(account|accounts|card|cards|profile|password|online banking|phone|details|data|login|app|number|sim|identity|information|info) (was|is|has been|have been|got|been|were|is being|are being|may be|might be|may have been|might have been|could be|must have been|had been|keeps being|being|were being|details (were|got|have been)|number (was|got|has been)|details) (hacked|compromised|cloned|copied|skimmed|breached|misused|abused|hijacked|used (by|without|in|for|at|online|to|somewhere|abroad)|taken over|duplicated|leaked|exposed|swapped|phished|accessed)
(hacked|hacker*|hacking|hijacked|skimmed|cloned)
(card|account|number|details|sim|data) .. (cloned|skimmed|duplicated|compromised|copied)
(compromised|breached) (card|account|details|data)
card (details|info*|data|number) .. (stolen|leaked|stole|hacked|misused)
(used|using|uses|paying with|pays with|shopping with|withdrew with) (my|our|his|her) .. (card|account|details|pin|identity|number) .. (without (me|my|asking|permission|authori*|consent|knowledge|our|his|her)|fraud*|illegal*|and it (wasn't|isn't|was not) me)
(stole|stolen|stealing|steals|thief|theft|robbed) .. (from|out of) (my|our|me) .. (account|card|savings|money|bank|balance|app)
(was|been|got|were|have been|being|i|get|getting) (tricked|duped|conned|deceived|cheated|fooled|swindled|robbed online|blackmailed|extorted|sextorted|catfished)
(tricked|duped|conned|deceived|fooled|manipulated|pressured|talked|persuaded|convinced|forced|threatened) (me|us|my|him|her) .. (into|to) .. (send*|pay*|transfer*|giv*|buy*|invest*|shar*|install*|confirm*|approv*|reveal*|tell*|mov*|hand*)
(fell|fallen|fall|falling) (victim|prey)
(fell|fallen) for (a|an|it|this|that|the|some|his|her|one|their)
(victim) (of|to)
(blackmail*|extort*|ransom*|sextort*)
(romance|investment|crypto|bitcoin) .. (fake|gone|disappeared|vanished|never|lost|stopped answering|not pay*|can't withdraw|won't pay)
(invested|invest|deposited|sent) .. (platform|broker|crypto|bitcoin|site|app) .. (gone|disappeared|can't|won't|not|vanished|blocked|fake|unreachable)
(boyfriend|girlfriend|man|woman|guy|person|friend) .. (met|know|knew|dating) .. (online|internet|app|tinder|facebook) .. (money|send|sent|pay)
(i|we|mum|mother|dad|father|husband|wife|grandmother|grandma|he|she|i've|they|mom|son|daughter) (have |has |just |already |accidentally |stupidly |mistakenly |then |even |also |had )*(gave|given|told|shared|sent|read out|provided|revealed|disclosed|handed|passed|passed on|confirmed|forwarded|dictated) .. (code|codes|pin|password|card details|card number|bank details|otp|login|credentials|account details|account number|one-time code|passcode|card data|details|security code|cvv|tan|access) .. (to|him|her|them|someone|somebody|caller|stranger|over|on the phone|by phone|scam*|and now|and then|and money|because)
(gave|given|told|shared with|sent|read) (him|her|them|someone|somebody|the caller|a caller|a stranger|the man|the woman|this person|that person|an unknown|the scammer*|a fraudster) .. (code*|pin|password|card|details|otp|login|access|number|money|credentials|data|tan|cvv|iban)
(code|pin|password|otp|details|login|passcode|tan) (to|with) (a|the|some|someone|somebody|him|her|them|an|another) (stranger|caller|man|woman|scam*|fraud*|else|person|guy|unknown|other|fake|who|on the phone|and)
(typed|entered|put|submitted|filled|gave|provided|used|logged) .. (fake|phishing|fraudulent|dodgy|suspicious|scam|bogus|dubious|false|cloned) .. (site|website|page|link|shop|form|app|login)
(clicked|tapped|opened|followed) .. (link|attachment|qr) .. (and|then) .. (entered|typed|gave|put|logged|filled|submitted|money|confirmed|paid|installed|now)
(remote access|anydesk|teamviewer|any desk|team viewer|remote control) .. (money|gone|let|gave|allowed|installed|transferred|account|and|then)
(installed|downloaded|let* .. into|gave .. access) .. (anydesk|teamviewer|remote)
(let|allowed) (him|her|them|someone|a caller|the caller|a man|the man) .. (computer|phone|laptop|pc|account|online banking|screen)
{posing} .. {bankside} ... {robbed}
(said|says|saying|told me) (that )?(he|she|they|he's|she's|they're)( was| were| is| are| from| with| calling| phoning| the| my| your| our)* (bank|bank's|fraud team|fraud department|security team) ... {robbed}
(said|says|saying|told me) (that )?(he|she|they|he's|she's|they're) (was |were |is |are )?(worked|working|works|calling|phoning) (for|at|from|with) .. (bank|bank's|fraud team|fraud department|security team) ... {robbed}
({someone}|caller|man|woman|lady|guy|person|they) .. {posing} .. fraud (team|department|people|squad) ... {robbed}
(wasn't|was not|weren't) (really |actually |even )*(the|my|your) bank ... {robbed}
link* ... {typed} .. {secret}
{typed} .. {secret} ... (on|in|into|to|at|after|from|via|using|through|behind) .. link*
{typed} .. {secret} .. (page|site|website|form) .. ((wasn't|isn't|was not|is not|wasnt) (yours|the bank's|real|genuine)|from (a|an|the|some|that) (text|sms|e-mail|email|message|whatsapp)|(came|arrived) (with|in|by)|(text|sms|e-mail|email|message) (sent|took|led))
(he|she|they|caller|man|woman|guy|who) (said|says|claimed|told|pretended|pretending|claiming|claims|posing|posed) .. (police|bank|security|your fraud|officer|tax|amazon|microsoft|employee) .. (and i (sent|transferred|paid|gave|told|moved|confirmed|shared)|so i (sent|transferred|paid|gave|told|moved|confirmed|shared)|money (is|was) gone)
(transferred|sent|paid|moved|wired|handed) .. (savings|money|everything|euros|pounds|dollars|it|all) .. (to a (safe|secure|scam*|fraud*|fake|crook|con)|to them|to a stranger|to someone pretending|because (he|she|they) (said|told|threatened|claimed)|and (he|she|they|now) (disappeared|vanished|gone|blocked|is gone|are gone|don't answer|doesn't answer|never))
(somebody|someone|they|criminals|who) .. (swapped|took over|hijacked|ported|stole|switched|transferred) .. (my )?sim
sim .. swap* .. (without|fraud|not|never|stolen|unauthori*|didn't|someone)
(who|which .. ) (took|made|withdrew|has taken|did|debited|is debiting|is this company|authori(s|z)ed) .. (my (money|account|card)|me|this (payment|transaction|charge|withdrawal|debit|purchase))
who is this company debiting
who made .. (payment|transaction|purchase|withdrawal|transfer|order)
(what|where) (is|are|does|do) (this|these|that|those) (strange |weird |extra |unknown |mystery |odd )?(payment|transaction|charge|debit|withdrawal|purchase|transactions|payments|charges|debits|withdrawals)
(payment*|transaction*|charge*|withdrawal*|debit*|purchase*|transfer*|call|calls|order|orders|booking|login*) .. (aren't|isn't|not|wasn't|weren't|never|didn't|cannot be|don't seem) (mine|me|ours|by me|from me|my|my own|been mine|made by|done by|place*|recogni*|belong|look familiar|familiar|i made|look like mine)
(while|although|though|but|and|when) (i|my card|the card|card|we) (was|is|am|were|are) .. (asleep|sleeping|in bed|with me|in my (pocket|wallet|purse|hand|possession))
still have (my|the) card .. (withdr*|pay*|us*|charg*|transaction*|money)
(withdr*|transaction*|payment*|charge*|purchase*|money) .. still have (my|the) card
(card|account) .. (in|from) .. (country|city|place) .. (never been|not been|haven't been|wasn't|am not|i'm not)
(cash|money|withdrawal*|amount|euros|pounds|dollars) .. (taken|withdrawn|took) out .. (not|wasn't|without|didn't|never|isn't) .. (me|my|i|mine|us)
(cash|money|statement|account|there (is|was|are|has been|were)|shows|see|seeing|have|had|having|got|app says i) .. (withdrawal*|withdrawl*|withdrew|withdrawn|atm) .. (don't|didn't|did not|do not|never|not|no|{nt}) .. (make|made|know|recogni*|do|did|done|me|mine|authori*|remember|withdraw*|i|myself|have)
(login|log-in|logged in|sign-in|device|access) .. (wasn't me|not me|don't recogni*|not mine|unknown|strange|from another (city|country|place|device)|not from me)
(code|codes|otp|confirmation|notification|alert|approve|approval|request) .. (didn't|did not|never|not|don't) (request*|ask*|initiat*|make|made|do|order*|recogni*|buy|bought|start*)
suspicious (activity|payments|login|log-in|movement*|behavio(u)?r|withdrawals|transactions)
(counterfeit card|money mule|money laundering|skimming device|skimmer)
(report|reporting) (a |an |some |the )?(theft|crime|suspicious|scam|fraud*|stolen money)
money (was|has been|got|been|is|were|being) (stolen|robbed|transferred without|moved without|sent away)
(sent|moved|transferred) (my |the |all )*money away
(they|he|she|someone|somebody|thieves) .. (still|keep*|continue*) .. (using|withdraw*|taking|charging) my
(fake|false) (website|shop|site|investment|call|seller|store|profile|account|invoice) .. (money|paid|gone|sent|stole|data|transferred|lost|bought|my)
(paid|sent|transferred|bought|wired) .. (to |from |on |at )?(a )?(fake|fraudulent|scam|bogus|non-existent|nonexistent) (website|shop|site|store|seller|landlord|account|invoice|person|company|profile|flat|apartment)
{payment} ... (i was|i've been|we were|i am|i'm|he was|she was) ... (the whole|all) (day|week|night|time|weekend|month)
{payment} ... (and|but|yet|though|although|while) (i|we) (was|were) (at home|at work|in bed|in hospital|asleep|in another|abroad at)
(pretend*|claim*|posing|posed|said (he|she|they)) ... (and|so|then) (i|she|he|we|mum|dad|mother|father) .. (told|gave|read|transferred|sent|paid|confirmed|let|moved|handed)
(quid|grand|hundred|thousand|euros|pounds|dollars) left my account
(left|gone from|went from|came off|come off|missing from|vanished from|leaving|drained from|out of) (my|our|his|her) (account|card|savings) .. (no idea|don't know|without|not me|didn't|never|wasn't|unexplained|suddenly)
{money} .. (missing|gone) from (my|our|his|her)
(invest*|crypto|bitcoin|trading|broker|forex|coins) ... (vanished|disappeared|gone|offline|fake|unreachable|closed down|not answering|blocked me|stopped)
turn* out (to be|it was|it is|that it was|they were) .. (fake|scam*|bogus|fraud*|not real|crook*)
(website|shop|seller|broker|site|company|platform|landlord|flat|advert|ad) .. (was|is|were|be) (a |an |all |completely )*(fake|bogus|fraud*|not real|phony|non-existent|imposter)
(talked|coaxed|lured|guilted|sweet-talked|pushed|pressured|threatened) .. into .. (pay*|send*|transfer*|giv*|buy*|withdraw*)
(online|internet) (boyfriend|girlfriend|lover|romance|relationship|date|friend) .. (money|send|sent|paid|transfer*|euros|pounds|loan)
(gift cards|itunes cards|gift card codes) .. (caller|police|boss|told|asked|tax)
(he|she|they|caller|man|woman|guy|lady|someone) .. (blocked me|disappeared|vanished|hung up|stopped replying) ... {money}
{money} ... (he|she|they|the man|the woman|the seller|the broker) .. (blocked me|disappeared|vanished|stopped replying|can't be reached|gone)
(new|another|unknown) (payee|device|recipient|address|phone number|standing order|beneficiary) .. (added|registered|set up|appeared) .. (not|wasn't|didn't|never|without|by)
(added|registered|changed|set up) .. (not by me|without me|wasn't me|i didn't)
(changed|reset) .. (it was not|it wasn't|not|wasn't|never) (by )?(me|mine|us)
(savings|money|funds|fortune|pension|euros|pounds|dollars) to (a|some) (man|woman|guy|person|stranger|someone|somebody) .. (facebook|online|internet|met|never met|dating|tinder|instagram|whatsapp|telegram)
(rang|called|phoned|call|caller) .. (microsoft|amazon|police|bank|tax office|interpol|telecom|support) ... (control of|access to|remote|into my|on my) (my |the )?(laptop|computer|phone|pc|screen|account)
{someone} opened .. (card|account|loan|contract) .. (using|with|in|on) my
paid .. (flat|house|apartment|car|item|shop|company|room) .. (doesn't|does not|didn't|never) exist
""")

UNLESS = listed("""
(can|could|may|should|let|allow*|authori(s|z)e*) .. use my (account|card)
(fraud*|scam*|fake|phishing|suspicious|bogus|dubious|strange|weird) (e-mail|email|mail|mails|emails|e-mails|text|texts|sms|message|messages|call|calls|link|links|site|website|websites|letter|whatsapp|phone call|phone calls|number)
(recogni(s|z)e|spot|identify|avoid|prevent|preventing|detect|avoiding|spotting|recogni(s|z)ing|detecting|aware of|learn about|beware of|types of|kinds of|explain|common|latest|new|information (on|about)|tips (on|against|for)|know more about) .. (fraud*|scam*|hacker*|identity theft|suspicious ..)
(does|do|will|is) .. (protect|cover|covered) .. (stolen|theft|fraud*)
(protect*|safe|secure|insur*|cover*|guard|defend|measures|safeguard*) .. (against|from|for|in case of) .. (fraud*|scam*|hacker*|identity theft|being hacked|hacking|theft|unauthori* ..|impersonat*|blackmail)
(claim*|pretend*|purport*) (to be|he is|she is|that|it is|it's|they are|from) .. (fraud*)
(fraud*|scam*) (insurance|protection|prevention|awareness|cover|coverage|detection|quiz|training|monitoring|guarantee|policy|shield|advice page|alert service|alerts setting|statistics|law|film|movie|news)
(is|was) (it|this|that|there) (a |an )?(scam|fraud) (if|when)
anti-fraud
anti fraud
scammers (work|operate)
(do|does) your .. (hacked|scam*|fraud*)
(not|{nt}|isn't|no) (a |any |it |about |this is |a case of )*(fraud|scam|scammer|fraudster|hacker)
(i'm|i am) not a (scammer|fraudster|hacker|robot|criminal)
in case (of|my|i) .. (fraud|hacked|scammed|stolen)
(report|forward|send) .. (phishing|scam|fraud*|suspicious) (mail|email|e-mail|site|text|message|sms|website|link)*
(don't|do not|didn't|can't|cannot) (recogni(s|z)e|remember|recall|recollect) (my|the|her|his|me|your|this (number|word|face|setting|menu|app|email|website)) .. (pin|password|passcode|user*|login|number|name|card|face|fingerprint|app|code|account number|iban|menu|setting|email|phone|device|answer|voice|finger)
(does|doesn't|do|did|won't|will|is) .. {not} .. (recogni(s|z)e) .. (my|the|me)
(app|phone|machine|system|website|scanner|terminal|atm|reader|device|it|account|site|chip|face id|shop) (doesn't|don't|does not|didn't|can't|won't|cannot|did not|could not) (recogni(s|z)e|remember)
(if|can|could|may|might|would|do|does|did|that|true|possible) (any |some |that |there are |really |ever )*(someone|somebody|anyone|anybody|people|person|callers|a caller|criminals|fraudsters|scammers|crooks|strangers|a stranger|he|she|they) ... {posing}
(people|callers|criminals|fraudsters|scammers) (who |that )?{posing}
({nt}|not|never|without|before) (yet |ever |even |actually )*{typed}
link* ... ({nt}|not|never|without) (yet |ever |even |actually )*{typed}
link* .. ({nt}|not|never) (work*|open*|load*)
link* (in|from|on) (your|the bank's) (letter|app|website|site)
link (to|for) activat*
(clicked|tapped|opened|followed|used) .. link (to|for) activat*
would happen if (i|we|someone|somebody|one|you) .. {typed}
life hack*
hackathon
who (took|made|paid|used|did|ordered|changed) .. (part|photo|this app|law|constitution|decision)
(who|which) (is|are|was) (this|that|the) company
fell (for|into) (the |a |an )?(minus|overdraft|trap|category|holiday|water|puddle|sea|toilet|negative|weekend|wrong category)
(fall|fell|falls|falling|fallen) (into|for) (the|which|what|a|this|that|another) (category|group|tax bracket|bracket|minus|red|overdraft|negative|sea|water|holiday*|weekend)
(what|which|where) .. (should|do) .. (if|when) .. (hacked|scammed) (in|one day)
(don't|do not|can't|cannot|didn't) (remember|recall) (if|how|when|where|which|what|whether)
{someone} (has |have |just |may have )*(stole|stolen|took|taken|grabbed) (my|our|his|her|the) (wallet|purse|bag|handbag|card|cards|bank card|debit card|credit card|phone|mobile|backpack|suitcase|laptop|bank cards|credit cards)
can (scammers|fraudsters|hackers|someone|somebody|anyone|thieves)
how is fraud
""")
