"""English: somebody asks for a person. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
(talk*|speak*|spk|chat*|converse|discuss .. |communicate|spaek|speek|tlak|tallk) (directly |now |again |please |instead |live |in person )*(to|with|2|wit) {whole}*{person}
(talk*|speak*|chat*) {whole}*(human|someone|somebody|agent|representative|person|advis(e|o)r|real|operator)
(connect|conect|transfer|tranfer|put|pass|hand|switch|forward|redirect|escalate|refer|direct|route|patch|get|bring|link) (me|us|this|this chat|my call|my case|it|the chat) (through |over |on |straight |directly |up |back )?(to|with|2|onto) .. {person}
(get|give|find|fetch|bring|send|assign|want|need|wanna|require|request|requesting|prefer|demand|like|reach|contact|see|ask for|asking for|looking for|call) (me |us |for |to |with |get |have |reach |speak |talk |help from |support from |an answer from )*{whole}*(human*|person|agent|representative|rep|operator|supervisor|employee|colleague*|real one|member of (your |the )?(staff|team)|advis(e|o)r|staff member|live chat|personal help)
(human|person|agent|representative|operator|supervisor|manager|someone|somebody|advis(e|o)r|colleague|employee|customer service) (now|please|pls|plz|asap|instead|immediately|thanks|here)$
^(get me |give me |need |want )?(an |a |the |your )?(real |live |actual )*(human*|person|agent*|representative*|rep|operator|supervisor|manager|advis(e|o)r|someone real|somebody real|customer service*|customer support|customer care|staff|employee|support|live chat|call back|callback|call-back|call me|ring me|phone me|live support|helpdesk|personal help|humna agent)$
(real|live|actual|living|proper|breathing) (live |human |actual |real )*(human*|person|people|agent*|being|employee*|representative*|support|operator*|advis(e|o)r*|chat|man|woman|someone)
human (being|agent*|operator*|advis(e|o)r*|support|representative*|help|assistance|assistant|interaction|contact|colleague*|staff|customer service|please|person|service|team member|rep|employee*|touch|response|answer|attention|intervention)
(someone|somebody|anyone|anybody) (real|competent|who understands|who can help me|who can decide|from your team|from the bank|i can talk|i can speak|to talk to|to speak to|to chat with|available to talk|with authority|from customer|in charge|there i can)
someone real there
(is|are|can|could|would|isn't|have|let) (there )?(a |an |any |some |one of your |your )*(someone|somebody|anyone|anybody|person|human|colleague|agent*|advis(e|o)r*|employee*|member of (your |the )?(team|staff)|representative|specialist|real person|operator*|humans) .. (call me|ring me|phone me|contact me|talk to me|speak to me|take over|answer me|get in touch|get back to me|call us|call back|i can (talk|speak|chat)|i could (talk|speak)|available|look (at|into) (my|this) (case|problem)|deal with (me|this|my)|who can (help|talk|speak|decide)|assist me|step in)
(can|could|may|shall) i (please |just |maybe |possibly )?(talk|speak|chat|have a (chat|word)|get (through|connected|hold)) .. {person}
(call|ring|phone|telephone) (me|us) (back|please|asap|now|when|on|at|tomorrow|today|this|later|instead|about|regarding|directly|$)
give (me|us) a (call|ring|bell|buzz)
(can|could|would|will|please|should|must|want|need|like) (you |someone |somebody |u |anyone |a colleague |an advis(e|o)r |the bank |please |to )*(call|ring|phone|telephone) (me|us)
(call|phone|ring)( |-)?back (please|request*|from|service|me|asap|today|tomorrow|$|now|possible|wanted|needed)
(request*|arrange*|schedul*|want|need|like|book|organi(s|z)e|order|have) (a |an |for a |for |some |to have a |your )*(call( |-)?back|phone call|telephone call|personal call|personal conversation|call from|video call|personal appointment with|return call)
(wanna|want|need|like) .. (call|phone call|conversation) (with|from) .. {person}
(stop|no|not|enough|without|hate|sick of|tired of|instead of|isn't|rather than|don't want|do not want|useless|stupid|fed up with|dumb|turn off|leave|quit|exit|kill|skip|off with) (more |with |talking to |chatting with |chatting to |speaking to |speaking with |to talk to |to speak to |to chat with |to |from |of |a |the |an |this |these |your |any |to a |with a |the stupid |stupid |dumb |automatic |useless |silly |automated |a stupid |damn )*(bot*|robot*|machine*|chatbot*|chat bot*|computer|ai|automat* (answer*|repl*|response*|message*|system)|automated|program|algorithm|virtual assistant|canned answers|software)
(bot*|robot*|chatbot*|computer|ai|program|virtual assistant|assistant) .. (useless|stupid|doesn't understand|don't understand|can't help|cannot help|is no help|not help*|get me|give me|human|real|dumb|is not working|doesn't help|isn't helping|hopeless|never understand*|not understand*)
(you|u|this|it) (don't|do not|doesn't|clearly don't|can't|cannot|just don't|never|obviously don't) (understand|get) (me|anything|it|what i|my (question|problem|issue)|a word|a thing|shit)
(not|isn't|{nt}|no) (helpful|helping|of any help|understanding me) .. (human|person|someone|agent|real|somebody)
hand( )?over to .. {person}
(discuss|discussing|clarify|solve|sort|explain) .. (in person|by phone|over the phone|on the phone|personally|face to face|with {whole}*{person})
(in person|face to face|face-to-face|by phone|over the phone) .. (talk|speak|discuss|meet|conversation|with someone|with somebody|with a|appointment)
(talk|speak|meet) .. (in person|face to face|by phone|over the phone|on the phone)
(reach|contact|get hold of|get through to|get in touch with|reach out to) {whole}*(human*|person|agent*|representative*|real .. |operator*|someone|somebody|employee*|colleague*|staff|manager|support team|customer support|customer service team|live .. |advis(e|o)r*|supervisor)
(member of (your |the )?(staff|team)|one of your (colleagues|people|employees|team|staff|agents|advis(e|o)rs)) .. (contact|call|help|talk|speak|chat|write|reply|please|reach|answer)
(let|have|ask) .. (member of (your |the )?(staff|team)|colleague*|human|agent|advis(e|o)r|employee|supervisor|manager) .. (contact|call|help|talk|speak|chat|write|reply|reach|answer|look|decide|take)
(agent|representative|human|operator|advis(e|o)r|supervisor|colleague) (please|wanted|needed|required|request*|asap|available)
(personal|individual) (contact|advis(e|o)r|consultation|assistance|attention|service|agent|support|conversation|help) (please|now|instead|from|with|needed|$)
(not|{nt}) want .. (bot|machine|robot|automated|automatic|computer)
(where|how) .. (real|human|live|actual) .. (person|agent|employee|human|support|help|being|staff|people|assistance)
(i|we|please|to|wish|want|like|need|can|could) (to )?(see|meet) (a|an|with a|with an|my|with my|someone|somebody|with someone) .. (advis(e|o)r|consultant|representative|at the bank|bank employee|in person|from the bank|account manager|branch manager)
(escalate|escalation) (this |it |me |my .. )?(to|please|$)
(manager|supervisor) (please|now|immediately|$)
(is|are|have you got|do you have|got) (a|an|any|some|one of your) (colleague*|human*|agent*|person|people|advis(e|o)r*|employee*|real person|someone) (free|there|around|on duty|online|available|about|at hand|right now|i can)
(just|please|simply|rather|better) (phone|ring) me
just call me (please|now|instead|back|$)
put .. (advis(e|o)r|manager|human|colleague|person|supervisor|someone) on
(be|get|getting) (called|contacted|phoned|rung|telephoned) (back )?(by|from|please|instead)
^(csr|rep|human|person|agent)$
(somebody|someone) else please
(a word|quick word|chat|conversation|speak) with (a|an|one of|somebody|someone|your|the) .. (person|human|bank|staff|manager|colleague*|advis(e|o)r|employee|team|real)
(only|rather|prefer to|better to|like to|need to|want to|wanna) (talk|speak|chat|deal|write|communicate) (to|with) .. (human*|person|people|someone|somebody|employee|advis(e|o)r|staff)
(prefer|rather have) .. (human|real person|phone call)
""")

UNLESS = listed("""
(you can|you may|what .. you|should you|will you|what .. to|people|friends|to) call me
(call|calls) me (by|mr|mrs|ms|miss)
am i (talking|speaking|chatting) (to|with)
(are|is) (you|this) .. (human*|person|real)
human (resources|right*|error|anatomy|body|trafficking|history|nature|brain|heart|beings have|population)
(dont|don't|do not|no need to|rather not|not|{nt}|needn't|without) (really |want |wish |like |need |have |having |to |wanna |wanting |trying |asking )*(talk*|speak*|chat*|call*|get|be connected|be transferred|connect|transfer|ring|phone|a|an|the|any|require|contact) (me |to |with |back |over |us |through )*(a |an |the |any |some |your |real |live |by |to )*(human*|person|agent*|representative*|someone|somebody|anyone|anybody|operator*|customer service|back|people|advis(e|o)r*|employee*|colleague*|staff|me|phone|support)
(don't|do not|never|not|stop|{nt}|no need to|needn't) (call|ring|phone|calling|ringing|phoning|telephone) me
(keeps|keep|kept|they|he|she|people|caller|callers|who|that|it|friends|strangers) (call|ring|phone|calling|ringing|phoning|can't call|cannot call|could not call|tried to call) me
(tried|trying|wants|wanted|try|able|unable|when (they|people|he|she|friends)|can people|nobody can|no one can|can anyone|will (they|people)) (to )?(call|ring|phone|reach) me
(name|names) .. (call|calls|called) me
(talk*|speak*|chat*) (to|with) (my|his|her|their|our) (mum|mother|dad|father|wife|husband|friend*|family|people|landlord|boss|mother-in-law|doctor|insurance|employer|lawyer)
(talk*|speak*) (to|with) (the |a |an )?(merchant|shop|seller|store|airline|hotel|landlord|insurance|police)
(transfer|send|pay|give|lend|get|receive|request) (money|cash|funds|some|a payment|payments|payment|euros|it|the money|my money) .. {person}
(other|another|third|authori(s|z)ed|wrong|second|third-party|same|different|deceased|disabled|private|each|per|contact|one) (person|people|human|agent|employee)
(per|each) person
(insurance|estate|real estate|travel|letting|letting's|booking|ticket|tax|shipping|delivery|cleaning|secret) (agent*|representative*|advis(e|o)r*)
(real) (estate|time|rate|value|name|address|account|exchange rate|madrid|support for)
live (chat hours|rate*|exchange|agent hours|in|abroad|there|here|updates|music)
(password|file|task|account|product|project|property|case|time|fund|money|wealth|relationship|bank|store) manager app
(password|file|task|project|fund) manager
(cannot|can't|not) understand (my|the|this|that|how|why|what)
(does|do|is|can|are) (a|an|any|every) (person|human|employee|agent) (need|have|own|get)
(carrier|network operator|phone operator|tour operator|mobile operator|previous operator|other operator|old operator|new operator)
(no) (bot|bots|robots|ai) (problem|fees|trading)
(are|is) (you|this|it) (a |an )?(bot|robot|human|machine|real person|real|ai|person|real human|human being|human or|chatbot|actual person|computer)
({nt}|no) .. answering machine
(can|could) .. (daughter|son|child|children|friends|people|kids) .. (ring|call) me
(robot|washing machine|coffee machine|cash machine|ticket machine|machine learning|computer science|computer|ai) (vacuum|lawn|arm|class|degree|course|is broken|swallowed|ate|kept|not giv*)
(machine|atm|computer|app|terminal) .. (stupid|not help*|useless) (card)?
(send|give|get|receive) (me )?(an |a )?(sms|text|code|e-mail|email|letter|statement) .. (support|agent|employee)
(someone|somebody|anyone|anybody|who) (else|stole|took|used|has|can use|to use|with my|in my|i know|i sent|i paid|i want to pay|sent|paid|from abroad|abroad|under)
(support|supports) (for|of|apple|google|contactless|usb|esim|wifi|by)
(do you|does .. |which .. |what .. |is .. ) support*
(invite|add|authori(s|z)e|name|nominate|remove) (a|an|another|one|someone|somebody|my) (person|human|employee|colleague|agent|someone|somebody)
hand (over|on|off|it over) to (my|his|her|the (police|new|next|buyer|heir*))
(take|get|in|being) over the phone (number|line|contract)
(confirm|order|activate|change|pay|transfer|payment|check|unlock|block|report|cancel|buy|apply|register) .. (by|over the|on the|via) phone
(support|help) (my|the) (family|children|parents|kids|church|charity|team)
human (touch|side|factor|rights)
live (support|chat) (for|on|with|hours) (apple|google|contactless|android|ios)
""")
