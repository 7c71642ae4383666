"""Which passages answer a question, whatever found them: scored anew by all that a tenant's version says about words.

A score is the share of the question, between 0 and 1, that a passage and its article cover, and on top of it what speaks for
the article: a phrase that customers ask for it in, and the question's intent. So scores of different questions can be compared, and a
threshold can say that nothing answers. Terms saturate as in BM25 (S. Robertson, H. Zaragoza, "The Probabilistic Relevance
Framework: BM25 and Beyond", 2009), once over articles and once over chunks: a chunk is short, and its article says what it is about.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from parley.domain import following
from parley.domain.chunking import Chunk
from parley.domain.fusing import Found
from parley.domain.words import terms
from schemas.parts import Passage

TITLE = 3.0
"""What a term counts, beside 1 in an article's text, in its title and in what it is asked as."""
ARTICLE_HALF, CHUNK_HALF = 3.0, 1.5
"""So often must an article or a chunk have a term to get half of its weight: BM25's k1."""
UNKNOWN = 0.6
"""A word that no article has counts this much of its weight: customers tell stories. A figure of their own counts nothing."""
PHRASE = 0.45
"""What is added for an article that is asked as the question is."""
AFFINITY = 0.3
"""What is added for an article that examples of the question's intent speak for."""
FULL_SHARE = 0.06
"""An article that this share of an intent's examples asks for is one of its own; a smaller share is partly chance."""
NEAREST = 3
NEAR_SHARE, NEAR_OWN, NEAR = 0.1, 0.02, 0.25
"""What is near though nothing answers: an article that this share of the intent's examples asks for, that is worth so much for the question alone,
and so much together with what speaks for it."""

Shares = Mapping[str, float]
"""By term, the share of its weight that a text gets, between 0 and 1."""


class Ranked(NamedTuple):
    """A passage, and what it is worth here."""

    score: float
    passage: Passage

    def rescored(self) -> Passage:
        return self.passage.model_copy(update={"score": self.score})


def by_score(ranked: Iterable[Ranked]) -> list[Ranked]:
    """The best first; what is worth the same by its id, so that it falls alike everywhere."""
    return sorted(ranked, key=lambda each: (-each.score, each.passage.chunk_id))


class Ranking:
    """One tenant version's articles and examples in one language; immutable, so it may be shared between threads."""

    def __init__(
        self,
        chunks: Iterable[Chunk],
        examples: Mapping[str, Sequence[str]],
        titles: Mapping[str, str],
        handed_off: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`examples` and `titles` by intent. `examples` are of those intents alone that are answered from articles; those that are `handed_off` tell
        only which articles are near to them.
        """
        articles = {name: list(group) for name, group in groupby(chunks, key=lambda chunk: chunk.article_id)}
        texts = {chunk.chunk_id: terms(chunk.text) for group in articles.values() for chunk in group}
        self._chunks = {
            chunk.chunk_id: _chunk_shares(chunk, texts[chunk.chunk_id])
            for group in articles.values()
            for chunk in group
        }
        self._postings: dict[str, dict[str, float]] = defaultdict(dict)
        for name, group in articles.items():
            for term, share in _article_shares(group, texts).items():
                self._postings[term][name] = share
        asked = {intent: [dict.fromkeys(terms(text)) for text in found] for intent, found in examples.items()}
        self._weights = _weights(self._postings, len(articles), asked.values())
        self._phrases = _Phrases(articles, self._weights)
        also = {
            intent: [dict.fromkeys(terms(text)) for text in found]
            for intent, found in (handed_off or {}).items()
        }
        self._asked_for = {
            intent: self._votes(found, terms(titles.get(intent, "")))
            for intent, found in (asked | also).items()
        }
        self._articles_of = {
            intent: {name: min(1.0, share / FULL_SHARE) for name, share in self._asked_for[intent].items()}
            for intent in asked
        }

    def rank(
        self, question: str, intent: str | None, found: Iterable[Found], before: Sequence[str] = ()
    ) -> list[Ranked]:
        """What was found with new scores, best first. Passages of another version are worth nothing.

        `before` is what the customer asked before, oldest first, where the question is a follow-up: its terms belong to the question and
        count less.
        """
        counts = following.weights(before) | dict.fromkeys(terms(question), 1.0)
        weights = {term: count * self._weights.get(term, _unknown(term)) for term, count in counts.items()}
        whole = sum(weights.values())
        if not whole or all(term[0].isdigit() for term in weights):
            weights, whole = {}, 1.0
        likely = self._articles_of.get(intent or "", {})
        covered = self._cover(counts)
        alike = self._phrases.alike(weights)
        scored: list[Ranked] = []
        for passage in (each.passage for each in found):
            chunk, name = self._chunks.get(passage.chunk_id, {}), passage.article_id
            own = sum(weight * chunk[term] for term, weight in weights.items() if term in chunk)
            score = (own + covered.get(name, 0.0)) / 2 / whole
            score += PHRASE * alike.get(name, 0.0) + AFFINITY * likely.get(name, 0.0)
            scored.append(Ranked(round(score, 6), passage))
        return by_score(scored)

    def nearest(self, ranked: Sequence[Ranked], intent: str | None) -> tuple[Passage, ...]:
        """Of what was ranked for a question of this intent, one passage each of the articles that may help although none answers, best first."""
        shares = self._asked_for.get(intent or "", {})
        most = max(shares.values(), default=0.0)
        likely = self._articles_of.get(intent or "", {})
        near: dict[str, Ranked] = {}
        for score, passage in ranked:
            share = shares.get(passage.article_id, 0.0)
            own = score - AFFINITY * likely.get(passage.article_id, 0.0)
            together = own + AFFINITY * share / most if share else 0.0
            if share >= NEAR_SHARE and own >= NEAR_OWN and together >= NEAR:
                near.setdefault(passage.article_id, Ranked(round(together, 6), passage))
        return tuple(each.rescored() for each in by_score(near.values())[:NEAREST])

    def _cover(self, asked: Mapping[str, float]) -> dict[str, float]:
        """By article, the weight that it covers of these terms, each with what it counts."""
        scores: dict[str, float] = defaultdict(float)
        for term, count in asked.items():
            weight = count * self._weights.get(term, 0.0)
            for name, share in self._postings.get(term, {}).items():
                scores[name] += weight * share
        return scores

    def _votes(self, examples: Sequence[Iterable[str]], title: Iterable[str]) -> dict[str, float]:
        """The articles that an intent's examples ask for, each with the share of the examples that do.

        An example votes for the article that it finds best, together with what its intent's title finds.
        """
        topic = _of_best(self._cover(dict.fromkeys(title, 1.0)))
        votes: Counter[str] = Counter()
        for example in examples:
            scores = _of_best(self._cover(dict.fromkeys(example, 1.0)))
            for name, share in topic.items():
                scores[name] = scores.get(name, 0.0) + share
            if scores:
                votes[max(scores, key=lambda name: (scores[name], name))] += 1
        return {name: count / votes.total() for name, count in votes.items()}


class _Phrases:
    """What articles are asked as, their titles among that."""

    def __init__(self, articles: Mapping[str, Sequence[Chunk]], weights: Mapping[str, float]) -> None:
        self._names: list[str] = []
        self._norms: list[float] = []
        self._holding: dict[str, list[int]] = defaultdict(list)
        for name, phrase in _asked_as(articles):
            found = set(terms(phrase))
            for term in found:
                self._holding[term].append(len(self._names))
            self._names.append(name)
            self._norms.append(_norm(weights.get(term, 0.0) for term in found))

    def alike(self, asked: Mapping[str, float]) -> dict[str, float]:
        """By article, the cosine of these weighted terms and its phrase that is most like them, 0 to 1."""
        products: dict[int, float] = defaultdict(float)
        for term, weight in asked.items():
            for at in self._holding.get(term, ()):
                products[at] += weight * weight
        norm = _norm(asked.values())
        best: dict[str, float] = defaultdict(float)
        for at, product in products.items():
            if product:
                best[self._names[at]] = max(best[self._names[at]], product / norm / self._norms[at])
        return best


def _asked_as(articles: Mapping[str, Sequence[Chunk]]) -> Iterator[tuple[str, str]]:
    for name, group in articles.items():
        for phrase in (group[0].title, *group[0].asked_as):
            yield name, phrase


def _chunk_shares(chunk: Chunk, text: Sequence[str]) -> Shares:
    found = Counter([*text, *terms(chunk.title), *terms(" ".join(chunk.path))])
    return {term: often / (often + CHUNK_HALF) for term, often in found.items()}


def _article_shares(group: Sequence[Chunk], texts: Mapping[str, Sequence[str]]) -> Shares:
    found: dict[str, float] = defaultdict(float)
    for chunk in group:
        for term in texts[chunk.chunk_id]:
            found[term] += 1
    for term in terms("\n".join((group[0].title, *group[0].asked_as))):
        found[term] += TITLE
    return {term: often / (often + ARTICLE_HALF) for term, often in found.items()}


def _weights(
    postings: Mapping[str, Mapping[str, float]], articles: int, asked: Iterable[Sequence[Iterable[str]]]
) -> dict[str, float]:
    """How telling each term is: rare among articles, and asked for under few intents; the lesser of both.

    The second takes the place of ever longer lists of stop words: "anyway" is rare in articles and common in questions.
    """
    by_intent = [{term for example in examples for term in example} for examples in asked]
    asked_for = Counter(term for found in by_intent for term in found)
    weights = {}
    for term in {*postings, *asked_for}:
        telling = _rarity(asked_for[term], max(1, len(by_intent)))
        holding = len(postings.get(term, ()))
        weights[term] = min(telling, _rarity(holding, articles)) if holding else _unknown(term, telling)
    return weights


def _unknown(term: str, telling: float = 4.0) -> float:
    return 0.0 if term[0].isdigit() else UNKNOWN * telling


def _rarity(holding: int, of: int) -> float:
    """BM25's inverse document frequency, which is never negative."""
    return math.log(1 + (of - holding + 0.5) / (holding + 0.5))


def _norm(weights: Iterable[float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights))


def _of_best(scores: Mapping[str, float]) -> dict[str, float]:
    """Every article's score as a share of the best one's."""
    best = max(scores.values(), default=0.0)
    return {name: score / best for name, score in scores.items()} if best else {}
