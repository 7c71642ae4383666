"""Text to search terms, the same for indexing and asking: Latin words lightly stemmed, Chinese as characters and bigrams.

Written Chinese has no spaces, and most of its words have two characters: bigrams find them, single characters catch the rest.
"""

import re
import unicodedata

WORD = re.compile(
    r"[0-9]+(?:[.,][0-9]+)*|[a-zà-öø-ÿāăąćčďđēėęěğīįıķĺļľłńņňōőœŕřśşšťţūůűųźżž']+|[\u3400-\u9fff]+"
)
CJK = re.compile(r"[\u3400-\u9fff]")

STOPWORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "for",
        "from",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "let",
        "many",
        "me",
        "more",
        "most",
        "much",
        "my",
        "no",
        "not",
        "now",
        "of",
        "off",
        "on",
        "once",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "please",
        "same",
        "she",
        "should",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "up",
        "us",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "yours",
        "hi",
        "hello",
        "hey",
        "thanks",
        "thank",
        "need",
        "want",
        "tell",
        "know",
        "get",
        "got",
        "there's",
        "what's",
        "i'm",
        "i'd",
        "i've",
        "it's",
        "can't",
        "don't",
        "doesn't",
        "didn't",
        "won't",
        "isn't",
    ]
)
STOP_PHRASES = re.compile(
    "怎么办|怎么样|怎么|怎样|如何|请问|可以|能不能|是不是|有没有|多少|什么|哪里|哪些|为什么|需要|一下|我想"
)
"""Chinese for how, what, where, please, may I: taken out before the text is cut, so that no pair spans them."""

STOP_CHARACTERS = frozenset(
    "的了吗呢吧啊呀么是我你您他她它们这那个在有和与就也都要想请把被很会能不怎什哪多少"
)


def terms(text: str, *, drop_common: bool = True) -> list[str]:
    """Terms in the order of the text. With `drop_common` the words that tell nothing apart are left out."""
    found: list[str] = []
    for match in WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = match[0]
        if CJK.match(word):
            found.extend(_chinese(word, drop_common))
        elif not (drop_common and (word in STOPWORDS or (len(word) == 1 and not word.isdigit()))):
            found.append(stem(word))
    return found


def _chinese(run: str, drop_common: bool) -> list[str]:
    if not drop_common:
        return [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
    found: list[str] = []
    for part in STOP_PHRASES.split(run):
        found += [c for c in part if c not in STOP_CHARACTERS]
        pairs = (part[at : at + 2] for at in range(len(part) - 1))
        found += [pair for pair in pairs if not STOP_CHARACTERS & set(pair)]
    return found


def stem(word: str) -> str:
    """Plural and common verb endings off English words: a light stemmer in the spirit of Harman's S-stemmer.

    D. Harman, "How effective is suffixing?", JASIS 42(1), 1991.
    """
    word = word.replace("'s", "").replace("'", "")
    if len(word) <= 3 or not word.isascii() or word[0].isdigit():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and re.search(r"[aeiouy]", base):
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            return base.rstrip("e") or base
    return word.rstrip("e") if len(word) > 4 else word


def language_of(text: str, languages: tuple[str, ...], default: str) -> str:
    """Chinese where its characters outnumber a quarter of the Latin words; else the first other language of the tenant.

    Good for telling scripts apart, not languages of one script: the tenant's default decides there.
    """
    chinese = len(CJK.findall(text))
    latin = len(re.findall(r"[A-Za-z]+", text))
    if chinese and chinese >= latin / 4 and "zh" in languages:
        return "zh"
    if latin and default == "zh":
        return next((language for language in languages if language != "zh"), default)
    return default
