"""English: a charge that is contested. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
disput*
(membership|subscription|contract) i (ended|cancel*|quit|terminated)
desput*
charge( |-)?back*
chargeback*
contest* .. (charge*|payment*|transaction*|purchase*|amount|debit|booking|bill|fee)
(query|object to|challenge|protest) .. (charge|charges|payment|transaction|debit|purchase|booking|item|invoice)
(charged|billed|debited|deducted|booked|charge|bill|debit|invoiced|withdrawn|paid|took|taken|payment) .. (twice|double|two times|2 times|2x|three times|multiple times|several times|3 times|doubly|thrice|more than once|repeatedly)
(charged|billed|debited|deducted|took|taken|booked) .. (again|a second time|too much|too many times)
double* (charge*|bill*|debit*)
(there|show*|appear*|posted|listed|is|it|transaction|charge|payment) (is |up |are |to be |at |on .. )*(twice|more than once|multiple times|several times|two times|duplicate times)
(repeat|repeated|same|identical|two|2|extra) (of the )?(same )?(charge|charges|payments|transaction*|debits) .. (same|one|twice|for|place|item|should)
more than one charge
(double|duplicate|duplicated|triple|doubled) (charge*|billed|billing|payment*|debit*|transaction*|charged|deduction*|booking|booked|entry|entries|purchase*)
(overcharg*|over-charg*|over charg*|overbilled|mischarged)
charged (me |us )?(too much|wrongly|incorrectly|the wrong amount|a wrong amount|an incorrect amount|for something|for a (service|product|thing|membership|subscription)|for (goods|items|an item)|even though|although|despite)
(wrong|incorrect|higher|excessive|inflated) .. (amount|sum|price|total) .. (charged|debited|deducted|booked|billed|taken|by the {merchant})
(charged|debited|deducted|billed|took|taken|booked) .. (wrong|incorrect|different|higher) .. (amount|sum|price|total)
({merchant}) .. (charged|took|billed|debited|booked|deducted|is charging|keeps charging|keeps billing|keeps taking|still charging|overcharged|charges) .. (wrong*|extra|more|instead|after|although|even though|twice|double|too much|despite|cancel*|again|still|not|{nt}|without|higher|never|wasn't|refus*|for nothing)
(took|charged|booked|debited|billed|deducted) .. (instead of|rather than|not the|and not)
(never|not|nothing|no|{nt}) .. (arriv*|deliver*|receiv*|came|turned up|ship*|show* up|sent) .. ({merchant}|ordered|goods|item*|parcel|package|product*|tickets)
({merchant}) .. (gone silent|went silent|vanished|disappeared|shut down|closed down) ... (paid|card|money|parcel|goods|order)
(ordered|bought|goods|item*|parcel|package|product*|tickets|order|purchase) .. (never|not|nothing|{nt}) .. (arriv*|deliver*|receiv*|came|come|ship*|show* up|turned up|sent)
({merchant}) .. (won't|refus*|doesn't|does not|will not|wouldn't|didn't|did not|never|ignor*|don't|denies|not willing|declines|declined) .. (refund*|pay* me back|pay back|my money|respond*|answer*|deliver*|return*|react*|take it back|take the|me back|reimburs*|repl*|give|cooperate|credit|send*|sent)
refus* .. (refund|pay me back|give .. money back|return .. money|reimburse|my money|take it back|exchange)
(faulty|defective|broken|damaged|counterfeit|fake|wrong|different|used|not as described|torn) .. (item*|goods|product*|phone|bag|handbag|order|shoes|thing|article|delivered|received|arrived|one|watch|laptop|ticket*|dress) .. (money|refund|charge|paid|reverse|return|refus*|ignor*|card|seller|{merchant}|back|payment)
(sent|sold|got|received|delivered) (me |us )?(a |an |the |something |some )*(faulty|defective|broken|damaged|counterfeit|fake|wrong|different|completely different) (item*|goods|product*|phone|bag|shoes|thing|one|order|laptop|watch|dress|handbag|size|from|than)
(item*|goods|product*) .. (faulty|defective|broken|damaged|counterfeit|fake|wrong|not as described)
(cancel*|ended|terminated|unsubscribed|quit|stopped|resigned) .. (still|keep*|continue*|again|kept) .. (charg*|bill*|tak*|debit*|deduct*|pay*)
(still|keep*|continue*|kept|again|continu*) .. (charg*|bill*|tak*|debit*|deduct*) .. (after|although|even though|despite|cancel*|ended|terminated|though) .. (cancel*|ended|terminated|quit|unsubscrib*|stopp*|end*|contract)
charged .. (although|after|even though|despite|though|but) .. (i|i'd|i've|we|my|cancel*|it) .. (cancel*|return*|ended|terminated|quit|never|not|didn't|sent back)
(charged|charge|billed) .. (cancel(l)?ed|no-show|no show)
(cancel(l)?ed) .. (charged me|still charged|but .. charged|refus*|won't|no refund|not refund*|didn't refund|doesn't|keeps)
(free trial|trial) .. (charged|paid|turned|converted|became|billed|subscription|money)
(reverse|undo|revert|reclaim|claim back|recover|get back|stop|cancel|retract|call back|pull back|revoke) .. (charge|purchase|card payment|payment to (a|the) (shop|merchant|store|seller|company|website))
(want|get|give|need|demand) .. (money back|refund) .. from .. {merchant}
want .. money back .. ({merchant}|never|not|broken|fake|faulty|cancel*|deliver*|wrong)
(not|never|{nt}) .. (what i (ordered|bought|paid for)|as described|as advertised)
(something|totally|completely) different (from|than|to) what i (ordered|bought)
({merchant}|concert|event|show|flight|trip) .. (bankrupt|disappeared|gone silent|went silent|vanished|not answering|cancelled|canceled|never took place) .. (money|refuse*|won't|not pay|charge*|keep*)
charged for .. (never|not|{nt}|didn't) .. (had|used|got|order*|receiv*|bought|sign*|subscrib*|wanted|want|use|request*|have|agree*)
(i|we) (disagree with|do not agree with|don't agree with|don't accept|do not accept|object to|refuse) .. (charge|fee|payment|amount|bill|debit|deduction|transaction|booking|invoice)
(wrongful*|wrongly|unjustified|unjustly|incorrectly|mistakenly|erroneously|unfairly) (charged|debited|billed|deducted|charge|fee|deduction|taken|booked)
(same|identical) .. (purchase|payment|transaction|charge|order|amount) .. (twice|two times|double|again|2 times|three times)
(twice|two times|2 times) (for|on|by) .. (same|one|single|order|purchase|transaction|payment|item|card|account|statement)
(paid|pay) once .. (charged|twice|two|debited|billed)
(fee|charge) .. (i )?(disagree|object|cancelled in time)
booked .. instead
(tipped|paid|owed|ordered for) .. (booked|charged|debited|took)
return(ed)? .. (goods|item*|product|dress|shoes|order) .. (refus*|won't|no refund|not refund*|ignor*|doesn't|does not)
(took|kept|keep*|charg*|retain*|booked) .. (deposit|fee|money|amount|price) .. (although|even though|despite|though|after) .. (cancel*|return*|never|not|didn't)
(billed|charged|debited|paid|deducted) .. for (two|three|four|2|3|4|both|several|more) .. (only|just) .. (one|1|two|2|bought|ordered|had)
contest* (what|how much|that|this|it) .. (took|charg*|debit*|card|account|booked)
{dont} .. (agree*|consent*) to .. (price|amount|charge*|debit*|fee|total|sum)
(wrong|incorrect|false|different) (sum|amount|price|total|figure) .. (on|from|to|off|by) (my (card|account|statement|credit card)|the {merchant})
(receipt|invoice|contract|ticket|bill|menu|slip|confirmation) (says|said|shows|showed|is|was|states) ... (booked|charged|statement|account|debited|card|booking|took|taken)
{merchant} .. (wants to keep|keeps|kept|keeping|won't give|won't return|holds|holding on to|denies|insists|not give) .. (money|deposit|payment|charge|price)
(repair|service|work|course|trip|lesson*|tour|treatment|booking) .. (never|didn't|not) (did|done|do|took place|happen*|provided|deliver*|carried out|finish*|exist*)
(boutique|bakery|butcher|garage|dentist|plumber|workshop|cinema|museum|travel company|festival|courier|trader|tradesman) .. (refus*|won't|charged|overcharged|took|ignor*|never)
(empty|wrong|open*) (box|parcel|package|envelope)
(want|need|like|get) .. (back|refund*|reimburse*) .. (because|since|as) .. (never|not|broken|faulty|fake|cancel*|wrong)
(money|amount|charge) .. (unfair*|unjust*|wrongful*|not owed|don't owe|do not owe)
(don't|do not) owe (them|it|this|that|the)
(seller|merchant|shop|store|trader|website|company) .. (took|has|kept) my money
(billed|charged|debited) .. for .. i (never|didn't|did not|haven't) (stay*|use*|bought|buy|got|had|order*|visit*|receiv*|attend*|book*|want*|ask*)
(swiped|ran|put through|charged) .. (twice|two times|three times|several times|again)
{merchant} .. says no refund
undelivered (ticket*|goods|item*|order|parcel)
""")

UNLESS = listed("""
(undisputed|indisputable|indisputably)
(labo(u)?r|border|territorial|trade|family|neighbo(u)?r|divorce) dispute*
(fee|cost|price|charge) (of|for) .. (dispute letter|chargeback letter)
(will|would|do|does|am|are|is|can|could|when|if|why|how) .. (charged|pay|billed|debited|paid|charge|deducted|pays) (again|extra|more|twice) (when|if|for|at|to|in|on|abroad|by)
(am|will|would|do|are|do you|is|get|be) (i |we |you |it |there |a |an )*(charged|charge|charges) (extra|more|extra for|the full|without)
charge* .. extra (for|if|when)
(paid|pay|pays|charged|charge) (again|more|extra|too much) (tax|interest|attention|for the (plan|account|card))
paid twice (a|per|every|each) (month|year|week)
(pay|paid|payments|payment) (twice|two times|double|three times|several times) (a|per|every|each) (month|year|week|day)
(payment|paid|pay|charged) .. again (next|every|each|monthly|in a)
(renew*|repeat*|recurring|standing order) .. again
(stop|cancel) .. (direct debit|standing order|subscription|scheduled)
parking (ticket|fine|tickets|fines)
(dispute|contest|chargeback) (a|the|my) (parking|speeding|exam|will|divorce)
""")
