"""English: lawyers, courts and the law against us. The notation is explained in `parley.domain.risks.phrases`."""

from parley.domain.risks.lexicon import listed

SAID = listed("""
(i|i'll|i'm|we|we'll|we're|gonna|going to|will|shall|want to|could|can|may|might|have to|must|let's|to|am|are|get|getting|be|being|been|about to|consider*) (also |now |definitely |really |just |be )*(sue|suing|sued) .. ({you}|$|for|over|if|bank|company|your|this)
sue (you|the bank|your|this bank|this company|for|them|over|y'all|ur|u)
suing
(get|getting|be|being|gets) sued
(file|filing|filed|bring|bringing|start|starting|open|launch*|threat*|prepar*|join*|lodge*) .. (lawsuit*|law suit*|suit against|a suit|class action|class-action|litigation|legal proceedings|proceedings|legal claim|court claim|court case|action for|claim with the court|claim in court|claim at the|claim for damages|statement of claim)
(lawsuit*|lawsiut|law suit|litigat*|class( |-)action)
(take|taking|took|drag|dragging|bring|haul|see|meet|seeing|bringing|hauling) (you|this|them|the bank|it|the matter|the case|your|my case|your bank|the company|u|each other|ya) .. (to|in|before|through|into) (the |a )?(court*|tribunal|judge|law|small claims)
(to|go to|going to|in|into|before) (the |a |small claims |county |high |district |civil )*(court|tribunal|judge) (over|about|if|with|for|and|against|$|next|now|because|this|unless|tomorrow|soon|then|as)
(go|going|went|head|off|see you|meet you|end up|ends up|settle* this|settle* it|fight) .. (to|in|before) (the |a )?(court|tribunal|judge)
(court) (order|papers|document*|summons|case|action|claim|proceedings|hearing|filing|ruling|will decide|date)
(small claims|district court|county court|high court|arbitration|tribunal|subpoena|summons|writ|injunction|affidavit|cease and desist)
(legal) (action*|step*|proceeding*|measure*|claim*|consequence*|route|recourse|remed*|notice|dispute|case|threat*|battle|means|redress|department|liability|path|avenue*|charges|way)
{lawyer} .. (will|'ll|shall|is going|contact*|writ*|says|said|send*|letter|sue*|against|advis*|told|tell*|hear|represent*|involved|liable|take* over|handle|get in touch|be in touch|speak* to you|talk to|to deal|prepar*|drafted|instructed|has|claim*|need*|call*|think*|is on|knows)
(hear|hearing|letter|letters|call|contact*|notice|word|correspondence|visit|mail|email) (back )?from (my|our|a|the|his|her|an) {lawyer}
(instruct*|hire*|hiring|engag*|contact*|consult*|call*|ask*|get|getting|got|retain*|seek*|involve*|appoint*|have|see|seeing|talk* to|speak* to|spoken to|spoke to|through|via|with|by|use|using|find*|forward* .. to|hand* .. to|given .. to|bring* in|going to|go to|turn* .. over to|pass* .. to|sending|send*) (a|an|my|our|the) {lawyer}
^(lawyer|attorney|solicitor|lawsuit|sue|court|legal)$
(see|speak to|talk to|contact|call|ask) my {lawyer}
{lawyer} (if you have|if|instead)
my {lawyer}
(your|the|bank's|to) legal (department|team|counsel|division)
(law firm) .. (represent*|send*|letter|letters|claim*|address|against|will|on behalf)
(represent) .. (client|customer|mr|mrs) .. (claim*|against|case)
(press|pressing|pursue|file|filing|bring) (criminal |formal |some |legal )?charges
(prosecut*|indict*)
(criminal complaint|police report against (you|the bank|your)|go to the police about you|report you to the police|criminal charges|criminal offence|criminal proceedings)
(claim*|demand*|seek*|want|sue for|entitled to|pay* me|pay|owe me) .. (damages|compensation in court|compensation under|punitive|compensation through)
for damages
(hold|holding|held) (you|the bank|your bank|them) (legally |personally |fully )?(liable|responsible|accountable)
you (are|'re|will be) (legally )?(liable|in breach|breaking the law)
(breach|violation|breaching|violating|violat*) of (contract|the law|my rights|data protection|gdpr|consumer|privacy|trust and)
(breach of contract|breached (the|our|my|your) (contract|agreement)|broke (the|our|my) contract)
(this|that|it|you|what you) .. (is|are|'s|'re|do is|did is|did was|doing is) (totally |clearly |completely |simply |just |absolutely |so )?(illegal|unlawful|against the law|a crime|criminal|not legal)
(violat*|break*|broke) .. (law*|contract|gdpr|regulation*|data protection|consumer rights|my rights)
(final|last|formal) (warning|notice|deadline|demand) (before|or|then|to you)
letter before action
(know|exercise|enforce|assert|defend|insist on|stand on) my (legal )?rights
(legal insurance|legal protection insurance|legal expenses insurance) .. (use|will|sue|claim|against|pay*|cover)
let a (judge|court) decide
(serve|serving|served) .. (papers|writ|summons|document*|claim)
(take|taking) (you|this|it) all the way
before (a|the) (judge|court)
let (the|a) (court*|judge*|law) (decide|rule|sort|settle)
against the law
(reserve|reserving|enforce|claim|assert|fight for) .. rights
(report*|go|going|take|taking|went) .. (you|this|it|the bank) .. to the (police|authorities|public prosecutor|prosecutor|data protection)
(bring|start|begin|initiate|commence|open|take|threaten) .. proceedings
{lawyer} .. (will|shall) (be|take|have)
(next|then) .. (is|it's|comes) (my|a|the) {lawyer}
(pay for (this|it|that)|pay dearly) (in court|legally)
""")

UNLESS = listed("""
(statement*|document*|copy|contract|certificate*|confirmation) .. for (my|the|a) {lawyer}
(legal) (age|name|guardian|guardianship|tender|form of|entity|holiday|requirement*|documents for|heir*|address|status|title|representative of my (child|son|daughter|mother|father)|way to|limit)
power of attorney
powers of attorney
attorney general
(tennis|basketball|food|squash|badminton|football|royal|volleyball|pickleball) court
court*yard
(my|a|the|our) (solicitor|lawyer|notary) .. (account|mortgage offer|house purchase|transfer the deposit|purchase money|completion|escrow|deed|conveyanc*|payment|deposit|fee|fees|invoice|bill|money)
(pay*|transfer*|send*|account for) .. (lawyer*|solicitor*|attorney*)
(is it|is this|is that|are they|it|that's|that is) (legal|illegal|allowed) (to|for|if|that|in)
(no|not|without|{nt}|avoid) (a |any |need |want |to |legal |going |intend |take |have )*(legal action|lawyer|sue|court|lawsuit|legal dispute)
(personal|small|big|no) (issue|issues)
pursue*
legal (holidays|aid office hours|entity|advice insurance)
(court order) .. (inherit*|estate|guardian*|custody|probate)
(need|require|have|show) a court order
(i am|i'm|as|my (wife|husband|son|daughter|brother|sister) is|for|job as) (a |an )?{lawyer}
(can|may|should) my {lawyer} .. (access|see|view|act|sign|manage)
suing is
""")
