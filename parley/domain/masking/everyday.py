"""Words that end a name or an address in running text, because they go on with something else."""

import re

from parley.domain.masking.found import listed

ENDS = listed(
    "a about account after again all also am an and any are as at be because been before bought but by call came can cannot "
    "card case contact could customer did do does don't email e-mail first for from had has have hello help her here hi his "
    "how i i'd i'll i'm i've if in into is it its it's just last let live lives lost make me mobile moved my need needs new "
    "not now number of on one or order our out paid pay phone please really received send sent she he should since so some "
    "still tel telephone thank thanks that the their them then there they this to today too try trying until up us want "
    "wanted was we were what when where which while who why will with would yesterday you your yours calling writing speaking "
    "born living residing tried against kindly using told said says say asked asks promised wrote writes answered helped "
    "works worked took takes gave gives spoke explained knows sold signed opened only opening changed cancelled visited"
)
"""What cannot be a further word of a name or of a line of an address."""

NO_NAMES = listed(
    "a about abbreviated all already also always an and another any every twice appearing as at because being blank by case changed "
    "changing chinese common correct different difficult displayed double easy empty english entered extremely fine for from gone good hard hidden "
    "how hyphenated if important in incomplete incorrect invalid is it just known linked listed long mandatory misprinted missing "
    "longer me misspelled misspelt mistyped my needed never no nobody not nowhere of ok on only optional or other our out outdated "
    "please printed private quite really recorded registered required right saved secret shared short shortened shorter shown so spelled spelt "
    "still stored taken that the then there this to too truncated two typed under unique unknown updated used very visible was what "
    "when where which who whose why with without wrong written wrongly your you"
)
"""What is said of a name without telling it."""

_WORD = re.compile(
    r"[^\W\d_\u2e80-\u9fff](?:['.-]?[^\W\d_\u2e80-\u9fff]){0,29}+(?<!n't)(?![0-9])(?:(?:(?<=[ .][a-z])|(?<=[ .]co)|(?<=[ .]st))\.(?= ))?"
)
_BLANK = re.compile(" {1,2}")


def words_from(plain: str, start: int, most: int) -> int:
    """Where the words of a name end that begin at `start`, at most so many; `start` itself where there is none."""
    end = position = start
    for taken in range(most):
        word = _WORD.match(plain, position)
        if word is None or word[0] in (ENDS if taken else NO_NAMES):
            break
        end = word.end()
        blank = _BLANK.match(plain, end)
        if blank is None:
            break
        position = blank.end()
    return end


def word_before(plain: str, position: int) -> str:
    """The Latin word that ends there, behind blanks; empty where none does."""
    before = _BACKWARDS.match(plain[max(0, position - _LONGEST_WORD) : position][::-1])
    return before[1][::-1] if before is not None else ""


_BACKWARDS = re.compile(r"[\s:\"'(-]*([a-z]*)")
_LONGEST_WORD = 24
