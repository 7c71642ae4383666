"""Looking for signs first saves time and changes nothing: every rule finds what it would find if it were tried on every text."""

from hypothesis import example, given
from hypothesis import strategies as st

from parley.domain.guard import Guard, check_against
from parley.domain.guard.checking import _FIGURE, _MASKED, RULES, _facts, _facts_of, _plain
from parley.domain.guard.claims import SENTENCE, free_unfounded, sentences, unsupported
from parley.domain.guard.facts import Facts
from parley.domain.guard.wording import _BROKEN, _CONTROL
from parley.domain.prompting import NO_ANSWER
from tests.unit.test_guard_properties import HOSTILE

BITS = [
    "the ", "the first ", "on the 5th ", "5th of each month", "the third of ", "on 1 May", "may ", "May ", "in May", "2026-05-01", "01/05/2026",
    "3月5日", "三月", "11.5.", "5 pm", "17:30 ", "5 o'clock", "noon ", "midnight", "下午5点半", "半小时", "half an hour", "behalf an hour ", "two ",
    "a hundred ", "twenty-five ", "one ", "第一", "百分之三", "百分之.5", "Aprıl ", "frİday", "day and nİght", "midnıght", "thırd ", "5‰", "1st ", "0800 555 0140", "€4.50", " EUR", "%", " percent", "(%) | 5 |", "a month", "within a week",
    "takes an hour", "for a year ", "yearly ", "Monday", "Mon-Fri", "周一至五", "星期天", "weekends", "week-end", "weekdays", "on weekdays", "平日", "every day",
    "7 days a week", "24/7", "around the clock", "day and night", "at any time", "全天候", "closed ", "free", "feel free to", "no fee", "No. ", "no.", "免费", "不收",
    "waived", "costs nothing", "€0", "Yes, ", "yes ", "Of course, ", "certainly you ", "certaİnly ", "yeſ, ", "是的。", "不能，", "没有，", "www.", "www.1", "www.x-y", "http://a.b/c", "](/x)", "[",
    "[x](y)", "a@b.c", "bank.example", "x.中国", "e.g.", "[card_1]", "{{x}}", "[1]", "*", "**", "`", "\x01", "½", "①", "ﬁ", "’", "–", "，", "。", "！", ". ", "? ", "!", "\n", "\n\n", " ", "\t", "it ",
    "account", "K", "ı", "\ufffd", "<|end|>", "< |", "|>", "<", "</sources>", "[INST]", "<｜end｜>", "NO_ANSWER",
]  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(BITS),
        st.sampled_from(HOSTILE),
        st.text(st.characters(exclude_categories=("Cs", "Nd")), max_size=4),
    ),
    max_size=14,
).map("".join)
OWN = frozenset({"[card_1]"})


def read_by_every_rule(text: str) -> tuple[Facts, str]:
    facts, rest = Facts(), _plain(text)
    for rule in RULES:
        rest = rule.read(rest, facts)
    return facts, rest


def checked_plainly(text: str, sources: tuple[str, ...], quotable: frozenset[str]) -> tuple[str, ...]:
    """The violations, with nothing looked for before, and nothing kept."""
    guard = Guard(sources)
    own = _MASKED.sub(lambda masked: " " if masked[0] in quotable else masked[0], text)
    lines = [line for line in own.split("\n") if line.strip() not in guard._quoted]
    own = "\n".join(
        " ".join(each for each in SENTENCE.split(line) if each.strip() not in guard._quoted) for line in lines
    )
    known = frozenset[str]().union(*map(_facts_of, sources))
    said = read_by_every_rule(own)[0].said
    unknown = {
        token.partition(":")[0]
        for token, instead in said.items()
        if token not in known and known.isdisjoint(instead)
    }
    free = {"number"} if free_unfounded(own, sources) else set[str]()
    broken = sorted(unknown) + sorted(free - unknown)
    masked = any(each[0] not in quotable for each in _MASKED.finditer(text))
    return (
        *broken,
        *(["masked"] if masked else []),
        *(["yes_no"] if unsupported(own, sources) else []),
        *(["garbled"] if any(not quoted(each[0], sources) for each in _BROKEN.finditer(text)) else []),
        *(["control"] if any(not quoted(each[0], sources) for each in _CONTROL.finditer(text)) else []),
        *(["instructions"] if NO_ANSWER in text and not quoted(NO_ANSWER, sources) else []),
    )


def quoted(debris: str, sources: tuple[str, ...]) -> bool:
    """As it stands there, or as a model is given it: taken apart behind its first character."""
    return any(debris in each or debris.replace(debris[0] + " ", debris[0], 1) in each for each in sources)


@given(TEXTS)
@example("awww.1")
@example("on your behalf an hour")
@example("open day and n\u0130ght")
@example("until m\u0131dn\u0131ght")
def test_no_rule_reads_anything_in_a_text_without_its_signs(text: str) -> None:
    facts, rest = _facts(text)
    plain, left = read_by_every_rule(text)
    assert (facts.said, rest) == (plain.said, left)


@given(TEXTS, st.lists(TEXTS, max_size=3), st.sampled_from([frozenset[str](), OWN]))
def test_a_check_gives_what_it_gives_without_looking_for_signs(
    text: str, sources: list[str], quotable: frozenset[str]
) -> None:
    given_to = tuple(sources)
    assert check_against(text, given_to, quotable).violations == checked_plainly(text, given_to, quotable)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.lists(TEXTS, max_size=3))
def test_a_guard_that_is_kept_says_what_a_new_one_says(texts: list[str], sources: list[str]) -> None:
    kept = Guard(tuple(sources), OWN)
    for text in (*texts, "".join(texts), *texts):
        assert kept.check(text) == Guard(tuple(sources), OWN).check(text)


@given(st.one_of(TEXTS, st.text(alphabet=" \t\n.!?No。 a", max_size=30)))
def test_sentences_end_at_the_same_places_however_they_are_looked_for(text: str) -> None:
    assert sentences(text) == SENTENCE.split(text)


def test_a_figure_of_any_script_is_read() -> None:
    assert check_against("It costs ٥ euros.", ("It costs.",)).violations == ("number",)
    assert _FIGURE.search("٥") is not None
