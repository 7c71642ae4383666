"""English: words that many phrases share."""

GROUPS = {
    "nt": "don't|doesn't|didn't|won't|wouldn't|isn't|wasn't|weren't|aren't|hasn't|haven't|hadn't|can't|couldn't|ain't|shouldn't",
    "not": "not|{nt}|never|no longer",
    "dont": "don't|do not|didn't|did not|never|haven't|have not|hadn't|had not",
    "cannot": (
        "can't|cannot|cannot any longer|can not|can no longer|can hardly|can barely|can never|couldn't|could not|unable to"
        "|not able to|no longer able to|hardly able to|won't be able to|will not be able to|don't know how to|don't know how i'll"
        "|don't know how i will|don't know how we'll|no idea how to|struggl* to|not in a position to|no way to|no means to"
        "|impossible for (me|us) to|impossible to|won't manage to|not going to be able to|ain't able to|find it (hard|difficult) to"
        "|have nothing to|too poor to|have no money to|don't have (the |enough |any )?(money|cash|funds) to|trouble|difficulty"
        "|difficulties|problems|hard to|not enough (money )?to|no money to|don't have enough (money )?to|might not be able to"
        "|may not be able to|not be able to"
    ),
    "you": (
        "you|u|ya|the bank|this bank|your bank|your company|this company|your firm|them|him|her|your (staff|employee|colleague)*"
        "|everyone involved|y'all|your organi(s|z)ation|the company"
    ),
    "lawyer": (
        "lawyer*|attorney*|solicitor*|barrister*|legal (counsel|team|representative*|adviser|advisor|representation)|law firm|advocate"
    ),
    "payment": (
        "payment*|transaction*|charge|charges|debit|debits|withdrawal*|withdrawl*|transfer|transfers|purchase*|booking*|order|orders"
        "|deduction*|tranasaction*|transation*|direct debit*|item* on my (statement|card|account)|cash out|subscription"
    ),
    "money": "money|cash|funds|savings|balance|euros|euro|pounds|dollars|quid|grand|salary|wages|pension|deposit",
    "someone": (
        "someone|somebody|some one|some guy|some person|someone else|a stranger|strangers|a thief|thieves|hacker*|a hacker|criminals"
        "|a criminal|unknown person|a scammer|scammer*|fraudster*|a fraudster|another person|person unknown|crooks|a crook"
        "|people i don't know|my ex|another individual"
    ),
    "posing": "pretend*|posing|posed|purport*|impersonat*|claim* (that )?(to be|to work|to call|he|she|they|he's|she's|they're)",
    "bankside": "bank|bank's|fraud team|fraud department|security team|security department|for you|you lot",
    "robbed": (
        "(took|taken|stole|stolen|got|withdrew|withdrawn|transferred|debited) .. ({money}|from (me|my|us|our|his|her|the account)|(off|out of) (me|us)"
        "|my (password|pin|code|codes|login|details|card|account))|{money} .. (gone|missing|disappeared|vanished|lost)|lost .. {money}"
        "|(emptied|cleared out|cleaned out|drained) .. (account*|savings)|(made|got|had) me (to )?(transfer|send|pay|move|read|tell|give)"
    ),
    "typed": "typed|entered|put|keyed|filled|gave|given|submitted|logged|provided|inputted|inserted",
    "secret": (
        "pin|pins|password*|passcode*|login|log-in|card (number|details|data|info*)|details|credentials|security code|cvv|tan"
    ),
    "merchant": (
        "shop|store|merchant|seller|retailer|vendor|trader|company|firm|website|site|hotel|restaurant|airline|supplier|dealer|gym"
        "|webshop|business|cafe|bar|organi(s|z)er|agency|landlord|driver|taxi|provider|garage|builder|contractor|platform|shop keeper"
        "|club|travel agent|ticket office|petrol station|gas station|subscription|car rental|rental company|operator|marketplace"
    ),
    "person": (
        "human*|human being|person|real person|agent*|representative*|rep|operator|advis(e|o)r*|somebody|someone|sombody|some one"
        "|anybody|anyone|colleague*|employee*|staff|member of (your |the )?(staff|team)|team member|manager|supervisor"
        "|customer (service|services|support|care|relations)|consultant|people|your team|a man|a woman|specialist|expert|humans"
        "|real people|your boss|the boss|higher up|support( team| staff)?|service (agent|desk|team)|assistant manager|live person"
        "|clerk|teller|helpdesk|help desk|call cent(er|re)|hooman|humna|huamn|live (agent|chat|support)|assistant|somone|representant"
    ),
    "whole": "(a |an |the |one of |your |some |any |with |to |real |live |actual |proper |human |another |different |senior |customer |service |support )",
    "debt": (
        "loan*|mortgage|mortage|instal(l)?ment*|rent|bill|bills|debt*|overdraft|credit card*|card bill|repayment*|repayments|payments"
        "|monthly payment*|monthly rate|what i owe|what we owe|dues|arrears|invoice*|finance|car payment|back"
        "|tuition|minimum payment|it back|next month|this month|on time|anymore|any more|my payment*|the payment*|payment on"
    ),
    "service": (
        "service*|customer service|support|bank|staff|employee*|company|hotline|helpline|treatment|experience|operator|app support"
        "|customer care|advis(e|o)r*|branch|communication|behavio(u)?r|attitude|customer support|provider|handling|institution"
        "|people|agent*|assistant|call cent(er|re)|help|bot|bots|team"
    ),
    "bad": (
        "terrible|awful|horrible|appalling|dreadful|worst|disgusting|disgraceful|shocking|pathetic|useless|incompetent|unprofessional"
        "|rude|bad|poor|lousy|shit|shitty|crap|crappy|rubbish|atrocious|abysmal|outrageous|unacceptable|dire|inept|clueless|hopeless"
        "|arrogant|impolite|disrespectful|dishonest|abusive|unhelpful|disappointing|unbelievable|ridiculous|shameful|trash|garbage"
        "|a joke|a scandal|a disgrace|a shambles|a disaster|deplorable|substandard|very slow|horrendous|condescending|patroni(s|z)ing"
    ),
}
