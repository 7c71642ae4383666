"""English words of sentiment, from -3 (very bad) to 3 (very good); for stems that end in `*` any ending."""


def _by_word(groups: dict[float, str]) -> dict[str, float]:
    return {word: value for value, words in groups.items() for word in words.split()}


WORDS = _by_word(
    {
        3.0: "excellent fantastic amazing brilliant wonderful awesome outstanding delighted thrilled superb marvellous marvelous perfect perfectly",
        2.0: (
            "great happy pleased glad love loved lovely impressed satisfied super fabulous grateful relieved relief helpful best delightful"
            " terrific incredible exceptional lifesaver kudos courteous thoughtful seamless effortless"
        ),
        1.5: "good appreciate appreciated nice thankful efficient friendly kind patient enjoy enjoyed pleasant fast professional reassuring smooth smoothly polite reliable supportive attentive swift prompt promptly recommend reassured straightforward cool fun",
        0.6: "thanks thank thankyou cheers",
        1.0: "easy easier quick quickly works working solved sorted clear useful convenient comfortable safe relaxed",
        -1.0: (
            "slow confused confusing worried worry worries concerned concerning nervous unsure wrong issue issues problem problems trouble difficult hard"
            " delay delayed late missing broken unclear complicated annoyance unfortunately error errors mistake failed fails failing stuck"
            " inconvenient inconvenience crash crashes crashing crashed freezes unreliable hassle uneasy careless misleading forgot forgotten ignored ignoring doubt afraid struggling nuisance pity declined rejected tired waiting surprised"
        ),
        -1.5: (
            "bad annoying annoyed upset unhappy sad poor anxious stressed stressful stress disappointing disappointed unfair dissatisfied uncomfortable"
            " shocked waste wasted wasting rude frustrating frustration useless nonsense unhelpful pointless silly scared frightened messed mess"
            " badly misled overcharged suffer suffering regret painful panic panicking alarmed distressed helpless clumsy awkward stole lost stolen robbed hacked complain complaint complaining bothered incorrect embarrassing embarrassed"
        ),
        -2.0: (
            "frustrated angry mad furious terrible awful horrible ridiculous unacceptable hate hated disgusted worst joke pathetic incompetent fed"
            " unprofessional disrespectful arrogant mistreated hopeless horribly terribly unbelievable crying betrayed outrageous lying liar liars lied scam scammed cheated cheat robbery thieves shameful shame stupid idiots idiot rubbish garbage crap"
            " appalling nightmare disaster disgrace insane absurd dishonest desperate livid outraged"
        ),
        -3.0: "disgusting disgraceful horrendous atrocious abysmal bullshit shit fucking fuck damn bloody",
    }
)

SAYS: dict[str, str] = {
    r"(?:can't|cannot|can not|couldn't|wouldn't|don't|won't) (?:really |honestly )?(?:say|think|find|call|feel)(?: that| it| this| any of this)?(?: i'm| i am| i was| we're| it's| it is| it was| that's| that was| this is| you were)?": "not",
    r"(?:not|isn't|wasn't|hardly) what (?:i|i'd|i would|you'd|you would|anyone would) call": "not",
    r"anything but|(?:less|other) than|far from|nowhere near|used to be|if (?:i|we) (?:were|was)": "not",
    r"never (?:ever )?(?:been|felt|had|seen|experienced|heard|met|known) (?:so|such|this|that|anything (?:so|as))": "very",
    r"nothing but": "very",
    r"not (?:only|just)": "",
    r"(?:isn't|wasn't|aren't|weren't) (?:that|this|it|you|they)(?: just| so)?": "",
    r"(?:nobody|no ?one) (?:is |was |seems )?(?:happy|willing|able) to help": "nobody helps",
}
"""Words that say what others do, which rules know."""
SIGNS_OF_SAYS = (
    "n't",
    "not ",
    "but",
    "than",
    "far ",
    "nowhere",
    "hardly ",
    "used ",
    "if ",
    "never",
    "no one",
    "noone",
    "nobody",
)
"""Without one of these no text has any of them."""

PHRASES: dict[str, float] = {
    r"thank(?:s| you)(?: (?:so much|very much|a lot|a bunch))? for nothing": -2.5,
    r"(?:can't|cannot|can not) thank (?:you|her|him|them|\w+) enough": 2.5,
    r"(?:no|zero|without any?) complaints?|(?:can't|cannot|can not) complain|nothing to complain(?: about)?": 1.0,
    r"never (?:ever )?(?:been|felt|had|seen|experienced|known) (?:a |any |anything )?(?:better|happier|easier|smoother|nicer)": 2.0,
    r"never (?:ever )?(?:been|felt|had|seen|experienced|known) (?:a |any |anything )?worse": -2.5,
    r"(?:not|didn't|doesn't|don't|never|cannot|can't|couldn't|won't) (?:really |even |actually |be )*help(?:ed|s|ing|ful)?(?: (?:me|us|anybody|anyone|at all))*": -1.5,
    r"nothing (?:works?|worked|helps?|helped|happens|happened|is working)": -1.5,
    r"(?:could|should) (?:be|have been|do|have done) (?:much |a lot |so much |far )?better": -1.0,
    r"(?:don't|do not|didn't|did not|never) (?:really |even )?like(?:d)? (?:it|this|that|the|your|how|any)": -1.5,
    r"(?:i|we) (?:really |do |also |just )*liked? (?:it|this|that|the|your|how)": 1.5,
    r"(?:oh |just |absolutely )*(?:great|wonderful|perfect|brilliant|fantastic|lovely|nice|good)[,.! ]+(?:yet )?another (?:fee|charge|error|problem|issue|delay|hour|day|week|transfer)": -2.0,
    r"good for nothing|too good to be true|so much for": -1.5,
    r"never again": -1.5,
    r"well done": 1.5,
    r"thank(?:s| you) (?:(?:so|very|ever so) much|a lot|a million)": 1.5,
    r"no problem(?:s)?(?: at all)?": 0.5,
    r"not a problem": 0.5,
    r"no worries": 0.5,
    r"don't worry|do not worry": 0.0,
    r"(?:waste of|wasting my) time": -2.5,
    r"fed up": -2.5,
    r"(?:don't|do not|can't|cannot|no longer|won't|never) trust": -2.0,
    r"can(?:'t| ?not) believe": -0.7,
    r"lost (?:all |my )?(?:trust|faith|patience|confidence)": -2.0,
    r"sick (?:and tired )?of": -2.5,
    r"had enough(?! (?:money|funds|time))": -2.0,
    r"(?:for (?:over |more than |about )?(?:an hour|hours|ages|days|weeks|months|\w+ (?:hours|weeks|months)))": -1.0,
    r"(?:third|fourth|fifth|second|\w+th) time (?:i|we|i've|that i|this)": -1.5,
    r"(?:over and over|again and again|every single time)": -1.5,
    r"nobody (?:helps|helped|cares|cared|called|answers|answered|can help|has (?:called|helped))": -2.0,
    r"no ?one (?:helps|helped|cares|cared|called|answers|answered|can help|has (?:called|helped))": -2.0,
    r"never (?:called|got|had|heard|arrived|received|replied|answered|came)": -1.5,
    r"still (?:haven't|hasn't|have not|has not|not|no|waiting|don't|doesn't|isn't)": -1.5,
    r"(?:doesn't|does not|isn't|don't|didn't|won't|not|never|stopped) work(?:ing|ed|s)?": -1.5,
    r"(?:speak|talk) to (?:your|a|the) (?:manager|supervisor)": -1.0,
    r"close (?:my|all my|the) accounts?": -0.7,
    r"(?:leaving|leave) (?:your|this) bank": -2.0,
    r"made my day": 3.0,
    r"(?:very|really|so|most|extremely) kind(?: of you)?": 2.0,
    r"(?:you've|you have) been (?:a |so |very |really )*(?:great |big )?help\w*": 2.0,
    r"that (?:helps|helped|works)": 1.5,
    r"(?:much|lot|feel|feeling) better": 1.5,
    r"what a relief": 2.0,
    r"(?:weight|load) off my mind": 2.0,
    r"could(?:n't| not) be (?:better|happier)": 3.0,
    r"could(?:n't| not) (?:be|get) (?:any )?worse": -3.0,
    r"not (?:too |so |that |half )?bad": 0.8,
    r"not (?:at all )?(?:happy|pleased|satisfied|impressed|amused)": -2.0,
    r"(?:no|zero) help(?: at all)?": -2.0,
    r"(?:how|what) can you (?:just )?(?:take|charge)": -1.0,
    r"how dare": -3.0,
    r"(?:not|isn't|wasn't|hardly) (?:really |at all )?(?:acceptable|good enough|fair|right|on|normal|professional)": -2.0,
    r"fair enough|sounds (?:good|great|fair|fine|reasonable)": 1.0,
    r"thank(?:s| you)(?: (?:so|very) much)? for (?:taking|sorting|fixing|listening|explaining|understanding|looking into|helping|(?:all )?your help)": 1.5,
    r"(?:two|three|four|five|six|several|many|so many|countless) times (?:already|now|before|this)": -1.5,
    r"(?:is|are|was|went) down (?:again|for)|(?:not|n't) (?:log|sign) in": -1.0,
    r"(?:nobody|no ?one) (?:told|tells|knows|knew|explained|warned|informed|bothered|listens|can (?:tell|explain))": -1.5,
    r"you(?:'re| are) (?:a|an) (?:star|legend|angel|gem|hero)": 3.0,
    r"(?:fine|yeah|ok|okay),? whatever": -1.5,
    r"pleasantly surprised": 2.0,
    r"let (?:me|us) down": -2.0,
    r"(?:what|this) is going on": -0.5,
}
"""What several words say together."""

WITHOUT: tuple[str, ...] = (
    r"thank(?:s| you)(?: so much| very much)? for (?:calling|contacting|choosing|waiting|holding|your (?:call|patience|time|business)|reaching|bringing|the call)",
    r"good (?:morning|afternoon|evening|day|bye|luck)|goodbye",
    r"have a (?:very |really )?(?:great|good|nice|wonderful|lovely|fantastic|pleasant) (?:day|one|evening|weekend|night|afternoon|time|rest)|(?:great|good|nice|wonderful) (?:day|weekend|evening)",
    r"(?:happy|glad|pleased|my pleasure) to|(?:it's |it is )?my pleasure|how (?:can|may) i (?:help|assist)",
    r"(?:i'm |i am |we're |we are )?(?:so |very |really |terribly )?sorry (?:to hear|for|about|that|you)[^.!?,;]{0,80}",
    r"(?:i )?apologi[sz]e for [^.!?,;]{0,60}|i (?:can |completely |fully )*understand (?:how |your |that |why |you)[^.!?,;]{0,60}",
    r"nice to meet you|pleased to meet you|no thank(?:s| you)|kind of|sort of|as well as|best regards|kind regards|that's (?:great|good|perfect|fine|okay)(?= thank)",
    r"(?:is there )?any(?:thing)?(?: else)? (?:wrong|problem|issue)|thank(?:s| you)(?= (?:[a-z]+ )?(?:and|now|may|can|could|please|for (?:verification|that information|providing|confirming|the information)))",
    r"(?:would|might|could|'d) be (?:really |very |so |much )?(?:nice|great|good|helpful|lovely|wonderful|perfect|fantastic|appreciated|happy|glad|grateful|pleased|satisfied)",
    r"is there (?:a|an|some|any) (?:problem|issue|error|mistake|delay)",
    r"good (?:standing|condition|credit)|best (?:account|rate|rates|way|option|time|number)|(?:perfect|great|good|excellent|wonderful)[,.!]? (?:can|could|may|now|so|and what|what|let|i have|i've|please)",
    r"(?:working|business) (?:days?|hours?)|good (?:rate|rates|question|idea|time|point|moment|reason)|safe (?:deposit|custody)|clear(?:ed|ing)? (?:funds|payment)|hard copy|waiting (?:list|period|time)|like to|would like|lost and found|fraud (?:department|team)|(?:problem|issue) (?:is |has been |was )(?:solved|fixed|resolved|sorted)",
)
"""What is said out of politeness, or is no word of sentiment there: it is not looked at."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


ACKNOWLEDGED = (
    r"^(?:(?:great|perfect|excellent|wonderful|good|awesome|fantastic|lovely|super|thank you|thanks)[,.!]* )+"
)
"""With these the company's side takes note of what it was told."""

NOT = _listed(
    """
    not no never don't doesn't didn't isn't wasn't aren't weren't won't wouldn't can't cannot couldn't haven't hasn't hadn't without
    nobody hardly barely neither nor ain't nothing dont doesnt isnt
    """
)
_STRONG = _listed(
    """
    very really so extremely absolutely totally completely incredibly truly super deeply highly beyond most too utterly seriously
    """
)
_WEAK = _listed("slightly somewhat bit little fairly rather quite kinda sorta")
MORE = dict.fromkeys(_STRONG, 1.4) | dict.fromkeys(_WEAK, 0.6)
