"""English: somebody is not content with us and says so. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
complain*
complian*
compain*
complant*
grievance*
reclamation*
(file|lodge|make|making|filing|lodging|submit) .. (claim|reclamation) .. against
(consumer|customer) (claim|reclamation)
(file|lodge|filing|lodging) (a |an |my )?claim
(ombudsman|ombudsmen|ombudsperson|financial regulator|the regulator|supervisory authority|consumer protection|trading standards|banking authority|watchdog|better business bureau|bbb|consumer association|consumer advice|financial conduct|cfpb)
(report|reporting|reported) (you|your|this bank|the bank|u|this company|this to|them|him|her|the employee|that employee|your employee*|your staff|your branch|the adviser|the advisor|bad|your colleague|the agent|misconduct|this agent) .. (to|for|regulator|authority|head office|media|press|bad|misconduct|because|behavio*|$)
(report|write|tell|go|post|going) .. (newspaper|the press|the media|tv|trustpilot|twitter|social media|facebook about you|bad review|one star|the papers)
(file|filing|lodge|lodging|log|register|make|raise|submit|put in|record) .. (formal|official|objection|protest|grievance)
({bad}) .. {service}
{service} .. (is|was|are|were|has been|have been|'s|'re|so|been|being|acted|seems|really|treated me|got|gets) .. {bad}
(you|u|you guys|you people|y'all|you lot|you all|this bank|your bank|this company|your company|your app|your system|they) (are|'re|is|r|are all|have been|were|'re all|are just|are so) .. ({bad}|thieves|liars|lying|cheats|crooks|idiots|incompetent|stupid|robbers|criminals|morons|imbeciles|greedy|clowns|a waste)
(you|u) (suck|stink|lied|lie to|cheated|cheat|ignored|ignore|mislead|misled|let me down|failed me|messed up|screwed|don't care|do not care|never answer|never call|never listen|keep* lying|keep* giving me|never keep|don't keep|lost my|made a mistake|promised .. (never|nobody|but|not|and))
(this|the) (bank|company|service|app|hotline|support) (sucks|stinks|is rubbish|is garbage|is trash|is hopeless|is useless|is a joke|is terrible|is the worst|is bullshit)
(this|that|it|which|what) (is|was|'s) (absolutely |totally |completely |simply |just |really |so |utterly |beyond |truly )?(unacceptable|outrageous|ridiculous|a disgrace|disgraceful|a joke|a scandal|scandalous|appalling|an outrage|shameful|absurd|intolerable|not acceptable|a shame|a farce|not good enough|a nightmare|unheard of|bullshit|insane|a mess|unprofessional|insulting|disrespectful|a disaster|a shambles|beyond belief|inexcusable|incompetence)
(unacceptable|outrageous|disgraceful|scandalous|inexcusable|intolerable)
(fed up|sick and tired|sick of (you|this|your|waiting|the)|had it with|had enough of|had enough with|at the end of my (patience|tether|rope)|patience .. (end|run out|over)|losing my patience|last straw|tired of (you|your|waiting|this bank|being))
(i|i'm|we|we're|i am|am|are|feel|very|so|really|extremely|absolutely) (am |are |feel |was |were |very |so |really |extremely |more than |absolutely |deeply |beyond |totally |quite |pretty |truly |just |completely )*(angry|furious|livid|outraged|disgusted|appalled|dissatisfied|unhappy|disappointed|frustrated|upset|annoyed|pissed|pissed off|enraged|irate|unsatisfied|fuming|mad|insulted|offended|discriminated) (with|about|at|by|that|how|over|because|of|and|to|as|in|from|$|customer|against|your|now|since)
(not|never|{nt}|far from) (been )?(so |at all |very |really |entirely |been |felt |be )*(happy|satisfied|pleased|impressed|amused|okay|acceptable) (with|about|at all|by|how|that)
(dissatisfied|dissatisfaction|disgusted|appalled|livid|furious|discontent)
(express|voice|register|convey) .. (dissatisfaction|displeasure|anger|disappointment|frustration|concern* about (your|the) (staff|service|treatment))
(demand|expect|want|owe me|deserve|require|insist on|waiting for|need) (a |an |your |some |a written |a formal |you to |me )*(apolog*|explanation|someone to answer|compensation for (the|how|my|all|this|bad|your|poor)|compensated|answers)
apologi(s|z)e (to me|for)
(rude|insulted|insulting|shouted|yelled|laughed|racist|discriminat*|sexist|harass*|humiliat*|condescending|impolite|unfriendly|disrespect*|mistreat*|mocked|sworn at|swore at|hung up on|bullied|abusive|treated like) .. (me|us|to|by|at|staff|employee*|branch|agent*|counter|cashier|customer*|teller|advis*|clerk|colleague|dirt|an idiot|against|trash|rubbish|behavio*)
(staff|employee*|agent*|cashier|teller|advis(e|o)r*|clerk|colleague*|manager|lady|man|woman|guy|person|representative|rep|bot) .. (was|were|is|are|been|got|acted) (so |very |extremely |really |incredibly |quite |rather |totally )?(rude|unfriendly|impolite|unhelpful|arrogant|incompetent|aggressive|dismissive|disrespectful|hostile|racist|nasty|useless|unprofessional|mean|condescending|lying|clueless|abusive|insulting)
(the way|how) (i|we|i was|i've been|you|my case|your staff|they|i am|i'm) .. (treated|treat|handled|dealt with|spoken to|served)
(treat|treats|treating|treated) .. (badly|like (dirt|trash|rubbish|shit|garbage|a criminal|an idiot|this|that)|customer* (better|badly|like)|people|unfairly|poorly|with disrespect)
(nobody|no one|no-one|none|never) (ever |has |have |at your bank |here )*(answer*|reply|replie*|respond*|call*|help*|care*|get* back|pick* up|listen*|does anything|correct*|react*|is willing to help|feels responsible|got back|did anything|took)
(written|wrote|called|phoned|emailed|asked|told you|explain*|contacted|complained|rang|messaged) .. (three times|many times|several times|ten times|five times|four times|countless times|again and again|over and over|multiple times|repeatedly|so many times|5 times|3 times|4 times|10 times)
(third|second|fourth|fifth|umpteenth|hundredth|tenth|3rd|4th|5th|2nd) (mistake|error|attempt)
(third|fourth|fifth|umpteenth|hundredth|tenth|3rd|4th|5th) time (i|you|this|same|that|now|already)
(weeks|months|days) .. (no answer|no reply|no solution|no response|nothing happen*|unresolved|without (a |any )?(answer|reply|solution|response))
still (waiting for|no) (an |a |your |any )?(answer|reply|response|solution|call back)
(waited|on hold|queued|kept me waiting|keep me waiting|made me wait) .. (hour|hours|ages|forever|45 minutes|40 minutes|30 minutes|half an hour|an eternity)
(worst|terrible|awful|horrible|pathetic|disgusting|useless|crap|shit|shitty|rubbish|lousy|crappy) (bank|service|company|experience|customer|app|ever|support|provider|operator|institution|banking|chatbot|bot|staff|hotline|treatment|people)
(never again|never been so|worst (i|thing|ever))
(escalat*|take this further|take it further|higher authority|head office|upper management|senior management|your management|your ceo|ceo's|board of directors|your director)
(keep|keeps|always|constantly) (making|giving|sending|repeating|losing|getting|messing) .. (mistake*|error*|wrong|same|runaround|it up)
(someone|somebody) (must|has to|should|will) .. (responsible|answer for|accountable)
(supervises|supervise|regulates|oversees) (you|this bank|your bank)
(want|put|have) (this|it) (put )?on (the )?record
(not|{nt}) (good|acceptable) enough
(waste|wasted|wasting) (of|my|so much|hours|our) (time|of my time|money with you)
(shame on|screw|fuck|damn|bloody|wtf|bullshit|to hell with|piss off|bastards|idiots|arseholes|assholes|morons)
(broken|breaking|break) (your|their|the) promise*
(you|bank) (promised|assured|told me|guaranteed) .. (but|nobody|never|nothing|not|{nt}|still|lie|and no)
(lied|misled|mislead*|mis-sold|missold|cheated|ripp* (me |us )?off|rip-off|rip off|ripoff|deceived) .. (me|us|customer*|by you|by your|by the|to)
(lost|misplaced|mishandled|mixed up|messed up|botched|forgot) .. (documents|papers|application|file|my case|appointment) .. (complain|unacceptable|again|twice|angry|you|your)
(your|the) (mistake|error|fault|incompetence|negligence|failure) .. (cost*|caus*|made me|lost|pay|again|not mine)
(feedback|review) .. (negative|bad|terrible|poor)
(negative|bad|one star|1 star|zero stars) (review|feedback|rating)
(nobody|no one|no-one|none of you|not one of you) ... (care*|answer*|help*|listen*|call*|repl*|respond*|takes responsibility|feels responsible|bothered|bothers)
(you|your staff|they|colleague) promised ... (nobody|never|nothing|didn't|not|no one|still|but|nowhere)
how dare (you|they|he|she)
(your|you) own (mistake|error|fault)
(incompetent|incompetence|ineptitude|negligence|negligent|unprofessional)
what (a|an|kind of|sort of) (joke|bunch|shambles|disgrace|terrible|awful|mess|bank is|service is|customer service|waste|lousy|bad|incompetent|company is)
(not|isn't|n't) (how|the way) (you|to|a bank|one) (treat|should treat|handle|deal)
(leaving|leave|switch*|close* my account|moving) .. because .. (service|treated|you|staff|terrible|bad|your)
(absolute|complete|total|utter) (joke|disgrace|shambles|nonsense|farce|rubbish|disaster|mess|waste)
(hung up|put the phone down|shouted|laughed|yelled|sneered|snapped) (on|at) (me|us|my)
(rude|unfriendly|arrogant|dismissive|condescending|patroni(s|z)ing|disrespectful|impolite|discourteous)
sick of (being|you*|this|your|the)
passed from (one )?(department|person|pillar|agent)
(nobody|no one|never) ever
(keep|keeps|kept) ignoring (me|my|us|our)
""")

UNLESS = listed("""
complaint form of
(no|not|without|nothing to|zero|never|none|{nt}|not a|no need to|can't|cannot) (a |any |have |had |got |my |to |want to |wish to |really |going to |here to |mean to |really a |a real |any real |need to |intend to |this is a |to make a |i |an official )*(complain*|complaint*|grievance*)
(no|not|without|{nt}) .. (complaints|complaining)
(doctor|medical|health|stomach|skin) complaint*
not (angry|upset|unhappy|disappointed|annoyed|furious|mad|frustrated)
(bad|poor|terrible|horrible|awful|lousy|no|very bad|bloody|damn) (signal|reception|coverage|network|connection|weather|eyesight|hearing|credit|credit score|credit history|vision|english|internet|wifi|sound|screen|quality|cold|headache)
(sorry|apologi(s|z)e*) (for|to) (bother*|the (late|delay|trouble|confusion)|my|asking)
(i|i'd like to|we|let me|must|want to) apologi(s|z)e
(waiting|wait|hold) .. (24|48|72|one|two|couple|few|some|how many) hours
(how long|do i|must i|should i|will i|when|how many) .. (wait|waiting) .. (hour|hours)
(waiting|wait) .. (hour|hours) .. (transfer|payment|before|until)
(second|third|fourth|fifth|2nd|3rd|4th|5th) (time|week) (zone|of (the|each|every) (month|year))
(every|each) (second|third|other) week
(second|third) (week|time) (in|of) (january|february|march|april|may|june|july|august|september|october|november|december|the month|a month)
(still) waiting (for|on) (my|the|a|an) .. (card|pin|refund|transfer|money|payment|letter|code|sms|statement|salary|parcel)
(shame|a shame) (that|if) i
(complaint|complaints) .. (was|is|has been|were) (solved|resolved|settled|withdrawn|sorted)
(nobody|no one) (help*|answer*|call*) .. (door|home|house)
""")
