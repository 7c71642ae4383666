"""English: a life is in danger, said straight out or in a roundabout way. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
suicid*
going to overdose
(dead|death) than (to )?(pay|live|go on)
easier .. (be dead|to be dead|if i died)
suicde
suiside
unalive*
kms
(kill|killing|hurt|hurting|harm|harming|hang|hanging|shoot|shooting|poison|poisoning|drown|drowning|cut|cutting|burn|burning|injure|injuring|starve) (myself|himself|herself|themselves|ourselves|my self|themself)
self( )?harm*
self-harm*
self injur*
(take|taking|took|end|ending|finish|finishing) (my|his|her|their|our|my own|his own|her own|their own|it) (life|lives|existence)
(take|taking) .. own life
(end|ending) it (all|tonight|today|now|for good|tomorrow|once and for all)
(end|ending) everything (for good|tonight|today|now)
ending my .. life
(want*|wanna|wish|like|going|gonna|prefer|rather|hope|hoping|ready|try|tried|trying|think* of|think* about|plan*) (to |i could |i can |i would |just )?(to )?(just )?(die|be dead|not exist|disappear forever|never wake up|stop living|stop existing|vanish forever)
(i'd|i would|would) (rather|prefer to) (die|be dead|not be alive)
better off (dead|without me|if i (was|were) (dead|gone)|if i died|if i were not here|if i wasn't here)
better if i (was|were|wasn't|weren't) (dead|gone|here|around|alive|not here|no longer here)
better without me
wish i (was|were|had|hadn't|had never|wasn't|weren't) (dead|never born|never been born|died|been born|not here|not alive|alive|here anymore)
(wish|hope|want) .. never wake up
never (want to )?wake up (again)?
(fall|go to) sleep and (never|not) wake up
{not} (want|wants|wanted|wanna|wish|care) to (live|be alive|be here (anymore|any more|any longer)|exist|go on living|stay alive|wake up|be on this (earth|planet|world)|carry on living)
don't wanna (live|be here|be alive|exist|wake up)
(no|any|lost all|lost the|lost my|lost|without|give me a|lack) (reason|will|wish|desire|point|hope) (for me )?(to|in|of|for) (live|living|go on living|stay alive|being alive|life|carry on)
(what|what's|whats) .. (point|use|sense) (of|in) (living|life|going on|being alive|staying alive|carrying on|it all)
(no|isn't any|not any|see no|don't see the|don't see any|don't see a) (point|sense|meaning|purpose|use) (to|in|of) (living|life|going on|being alive|staying alive|carrying on|anything anymore|my life|it anymore|existing)
(life|living|my life) (has|is|holds|seems) (no|not|isn't|without) (point|worth|longer worth|sense|meaning|purpose|worth it)
(life|living|my life) (isn't|is not|ain't|is no longer|not|no longer) worth
(life|living) .. (pointless|meaningless|worthless|unbearable|hopeless)
nothing .. live for
nothing to live for
{cannot} (go on|carry on|keep going|live) (like this|any more|anymore|any longer|living|with this|this way|$|and i|in this)
^(i|we) (just )?(can't|cannot|can not|cant) (go on|carry on|keep going)
(i|we) (just |really |simply |honestly )?(can't|cannot|can not) (go on|carry on|keep going|do this anymore|do this any more|do life|live like this|live with|bear it|bear this|take it anymore|take it any more|take this anymore|take this any more|take any more|cope anymore|cope any more|cope any longer|stand it any)
{cannot} (bear|stand|endure|take) .. (life|living)
(see|there is|there's|find|know) no (other )?(way out|way forward|future|hope|light|way but|point)
{not} see (a|any) (way out|future|way forward)
don't see any other way out
only way out
(no|without) hope left
(i|i've|i have) (lost|given up|give up) (all |any |every )?(hope|on life|on everything)
(give|giving) up on life
(everything|life|it all|it) (is|feels|seems) (so |all |completely )?hopeless
(no one|nobody|no-one|who) (would|will|'d|'ll)? (miss|notice|care if) .. (me|i|gone|died|dead|disappear*)
nobody (would )?(miss me|cares (whether|if) i (live|die|am alive))
(jump|jumping) (off|from|in front of) (a|the|my|this|that) (bridge|roof|building|balcony|cliff|train|tower|window|rooftop|train tracks)
(standing|stand|sitting|sit|stood|am|i'm) .. (bridge|roof|rooftop|ledge|cliff|railway|train tracks|rails) .. (jump|end|ready|now|going)
throw* (myself|himself|herself) (off|from|in front|under|before|out)
step* in front of (a|the) (train|bus|car|truck|lorry)
(jump|walk) (in front of|into) (a|the|an oncoming) (train|traffic|bus|truck)
(overdose|overdosing|od) (on|tonight|now|today|$)
(take|taking|took|swallow*|swallowed) (all |a lot of |too many |the whole bottle of |every one of |a bottle of )(the |my |these |of the |of these |of my )?(pills|tablets|medication|sleeping pills|meds|them)
(pills|tablets) .. (take them all|all of them|end|ready)
(slit|slitting|cut|cutting|slash) (my|his|her|their) (wrist*|arm*|throat|veins)
(goodbye|good bye|farewell) (cruel world|to everyone|everyone forever|world|letter)
saying goodbye to (everyone|everybody|my family|my kids|the world)
(written|writing|wrote|write|leave|left) .. (suicide note|farewell letter|goodbye letter|last letter|goodbye note)
(won't|will not|not) be (alive|here|around) (tomorrow|much longer|any longer|next week|anymore|any more|after tonight)
won't .. (hear|bother) .. again .. (ending|end|over|goodbye)
(won't|will not) wake up tomorrow
tell (my|the) (wife|husband|kids|children|family|mother|mum|parents|son|daughter) .. (loved|love|sorry)
(rope|gun|razor|razor blade|noose|pills) (is |are )?(ready|in my hand|here|next to me|in front of me|and i)
(death|dying|being dead) (would be|is|seems|sounds) (a relief|the only|easier|better|my only|like a relief|like the only|peaceful)
ways to (die|kill)
(worth more|worth) dead than alive
i (am|'m|feel) (a burden|such a burden|just a burden|nothing but a burden) (to|on|for) (everyone|everybody|my family|others|them|my)
(want|wanna|wants) (it|this|everything|the pain|my life|it all|all of this|all this) to (be over|end|stop|be finished)
(make|making) (it|the pain|everything) (all )?stop forever
(disappear|gone|vanish) (forever|for good|from this (world|earth|life))
(i|i'm|we|i am) (am |are )?(tired|sick|exhausted|done|finished|through) (of|with) (living|life|being alive|this life|existing|everything and|my life)
had enough of (life|living|this life)
hate (my life|being alive|living|myself)
life .. over for me
(my life|my existence) is over
(not|don't) (feel )?(safe with myself|safe from myself|trust myself)
(thought*|thinking|idea*) (of|about) (death|dying|suicide|ending|not being here|not being alive|disappearing)
feel like (dying|ending|giving up on life|killing)
(drive|driving) (my car |the car )?(into|off|against) (a|the) (tree|wall|bridge|cliff|river|road)
i (might|may|could|will|'ll|want to|am going to|'m going to|gonna) (do something (stupid|bad|drastic|terrible) (to myself)?|do myself in|end up dead|top myself|off myself)
(top|off|do in|do away with|finish off|end) myself
do something (stupid|bad|drastic|terrible) to myself
(last|final) (day|night|message) (on earth|alive|of my life|i will|you will)
(in crisis|mental breakdown|nervous breakdown|emotional breakdown)
crisis (line|hotline|helpline)
(tired|sick|done|weary|exhausted|fed up) (of|with) (living|life|being alive|this life|existing|my life)
be better (off )?dead
put* an end to (it|my life|this|everything|it all|all this|myself|my suffering)
(one|other) way out
reason to (wake up|get up|go on|live|continue|be here|carry on|stay|keep going)
(nothing|no one|nobody) (matters|needs me|wants me) (anymore|any more|any longer|to me|here)
nothing matters
let me die
(ready|prepared|hoping|going|willing|able|deserve|deserves) to die
(think*|thought*|dream*|read*) .. (about|of) (how to do it|doing it|how i would do it)
(if|when) i (weren't|wasn't|were not|was not|were no longer|am no longer|'m no longer) (around|here|alive|there|in this world)
(stand*|sit*|sat|stood|am) (here )?on (the|a|my) (balcony|roof|bridge|ledge|rails|railway|window sill|windowsill|edge|top of)
(leave|leaving|left) this (world|earth|life)
(no|not a) place for me (here|in this world)
world .. better .. without me
(am|i'm|i|being|become) (just |only |such |nothing but )*a burden
(say|said|saying) (my|our) (goodbyes|last goodbye*|farewell*)
(last|final) (words|wish|letter)
give* away (all )?(my|everything i own|my things)
(won't|not|never) need (it|my account|the money|any of this) (anymore|any more|where i)
(no|not any) tomorrow for me
(don't|do not|didn't|did not|can't) (want to )?see (tomorrow|another day|the morning|next year|christmas)
(kill|finish) me
(want*|wish|like) .. (over with|to be gone|to sleep forever|to be with .. in heaven|to disappear|to vanish)
(life|living) .. (too (painful|hard|much)|unbearable|not worth|worth nothing|has nothing|means nothing)
(don't|do not|can't|cannot) (want to )?(feel|be) .. (alive|pain anymore|anything anymore|anymore at all)
(stopped|stop) (eating|fighting) .. (live|die|life)
(swallowed|swallow|took|taken|take) .. (bottle|packet|box|handful|lot) of .. (pills|tablets|paracetamol|medication|meds|sleeping)
want out of (this |my )?life
(easier|better|best) .. (if|when) i (were|was) dead
(nothing|nobody|no one) .. left for me
{cannot} take (this|it|life) (any|much) longer
(don't think|not sure|doubt) i can (live|go on|carry on|bear|cope|take)
better for (everyone|everybody|my family|my kids|my children|all|them) .. (gone|dead|not here|weren't here|not around)
""")

UNLESS = listed("""
(my|the) (son|daughter|kid*|child*|phone|app|wife|husband) .. (kill|finish) me
to kill me for
""")
