"""What a training step draws: batches of questions with their passages, and of examples with their intents. No tensors here."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workers.retrain.prepare import Data, Passages

SEPARATOR = " [SEP] "
"""Between a question and what was said before it, newest first."""
TURNS = 4
EXAMPLES_AN_INTENT = 4

#: How often a batch is of each kind.
KINDS: Mapping[str, float] = {
    "ask_cfpb": 2,
    "doc2dial": 3,
    "spoken": 2,
    "titles": 2,
    "articles": 1,
    "intents": 4,
}
#: How often a batch of intents is from each set.
INTENT_SETS: Mapping[str, float] = {"clinc": 5, "bitext": 2, "bank": 4, "mobile": 1.5, "rasa": 0.5}

FILLERS = (
    *("okay ", "um ", "great ", "perfect and ", "yeah ", "uh ", "and ", "thanks ", "alright ", "", "", ""),
    *("so ", "can you tell me ", "i was wondering ", "oh "),
)
OFFERS = (
    "how about {}",
    "i found {} for you",
    "there is {} which is highly rated",
    "i'd recommend {}",
    "yeah sure {} is a good one",
    "sure i have {} it's in the area you asked for",
    "{} matches what you want",
    "i know of a great spot it's called {}",
)
REQUESTS = (
    "i am looking for a place to eat",
    "i need a hotel in the area",
    "i want to find something fun to do",
    "is it expensive",
    "what kind of food do they have",
    "what's the address",
    "sounds good",
    "something cheap please",
    "how about parking",
    "book it for me",
    "what's the phone number",
)
SPOKEN_FOR = {
    "available": "there",
    "offer": "have",
    "provide": "have",
    "at this location": "there",
    "Does": "do they",
    "permitted": "allowed",
    "accommodate": "take",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, what answers it, a key that all right answers share, and a passage that looks right and is not."""

    question: str
    passage: str
    key: object
    wrong: str | None = None


def question_with_history(query: dict[str, Any]) -> str:
    return SEPARATOR.join([query["text"], *reversed(query["history"][-TURNS:])])


def passage_text(title: str, text: str) -> str:
    return f"{title}. {text}" if title else text


def sentences(text: str) -> list[str]:
    return [each for each in re.split(r"(?<=[.!?])\s+", text) if len(each.split()) > 3]


class Batches:
    """Draws batches; one seed, one series. `everything` draws from what is held back for development too."""

    def __init__(self, data: Data, seed: int, *, everything: bool) -> None:
        self.rng = random.Random(seed)
        self.unlabelled = data.unlabelled
        self._titles = data.titles
        self._articles = data.articles
        self._corpora = {name: found.corpus for name, found in data.retrieval.items()}
        self._texts = {
            name: {id_: passage_text(title, text) for id_, title, text in corpus}
            for name, corpus in self._corpora.items()
        }
        self._pairs = {
            name: list(self._known(name, data.retrieval[name], everything))
            for name in ("ask_cfpb", "doc2dial")
        }
        #: Passages near a question that do not answer it, by question; the encoder's training fills it in twice.
        self._near: dict[str, list[str]] = {}
        self._questions = self._spoken_questions()
        self._intents = _by_intent(data, everything)
        self._kinds: dict[str, Callable[[int], list[Pair]]] = {
            "ask_cfpb": lambda size: [self._retrieval("ask_cfpb", 0.65, 0.8) for _ in range(size)],
            "doc2dial": lambda size: [self._retrieval("doc2dial", 0.75, 1.0) for _ in range(size)],
            "spoken": lambda size: [self._spoken() for _ in range(size)],
            "titles": self._title_pairs,
            "articles": lambda size: [self._article() for _ in range(size)],
        }

    def kind(self) -> str:
        return self.rng.choices(list(KINDS), list(KINDS.values()))[0]

    def pairs(self, kind: str, size: int) -> list[Pair]:
        return self._kinds[kind](size)

    def examples(self, size: int) -> tuple[list[str], list[str]]:
        """Texts and their intents, of one set, four an intent."""
        name = self.rng.choices(list(INTENT_SETS), list(INTENT_SETS.values()))[0]
        by_intent = self._intents[name]
        chosen = self.rng.sample(sorted(by_intent), min(len(by_intent), size // EXAMPLES_AN_INTENT))
        texts, labels = [], []
        for intent in chosen:
            known = by_intent[intent]
            for text in self.rng.sample(known, min(EXAMPLES_AN_INTENT, len(known))):
                texts.append(text)
                labels.append(intent)
        return texts, labels

    def some_unlabelled(self, size: int) -> list[str]:
        return self.rng.sample(self.unlabelled, size)

    def mineable(self) -> list[tuple[list[str], list[str], list[set[str]]]]:
        """For each set: its passages, its questions, and which passages answer each question."""
        found = []
        for name, pairs in self._pairs.items():
            right: dict[str, set[str]] = {}
            for pair in pairs:
                right.setdefault(pair.question, set()).add(pair.passage)
            found.append((list(self._texts[name].values()), list(right), list(right.values())))
        return found

    def learn_near(self, question: str, passages: list[str]) -> None:
        self._near[question] = passages

    def _known(self, name: str, found: Passages, everything: bool) -> list[Pair]:
        return [
            Pair(question_with_history(query), self._texts[name][id_], id_)
            for query in found.queries
            if everything or not query["dev"]
            for id_ in query["gold"]
        ]

    def _retrieval(self, name: str, share_known: float, share_without: float) -> Pair:
        """A known question; or a sentence of a passage for the passage, mostly without that sentence."""
        if self.rng.random() < share_known:
            known = self.rng.choice(self._pairs[name])
            near = self._near.get(known.question)
            return Pair(known.question, known.passage, known.key, self.rng.choice(near) if near else None)
        id_, title, text = self.rng.choice(self._corpora[name])
        parts = sentences(text)
        if len(parts) < 2:
            return Pair(title, text, id_)
        at = self.rng.randrange(len(parts))
        rest = " ".join(parts[:at] + parts[at + 1 :]) if self.rng.random() < share_without else text
        return Pair(parts[at], f"{title}. {rest}", id_)

    def _title_pairs(self, size: int) -> list[Pair]:
        return [
            Pair(title if self.rng.random() < 0.7 else title.lower(), text, (source, title))
            for source, title, text in self.rng.sample(self._titles, size)
        ]

    def _article(self) -> Pair:
        title, heading, text = self.rng.choice(self._articles)
        parts = sentences(text)
        if self.rng.random() < 0.4 or len(parts) < 2:
            return Pair(f"{title} {heading}".strip(), text, (title, heading))
        at = self.rng.randrange(len(parts))
        rest = " ".join(parts[:at] + parts[at + 1 :])
        return Pair(parts[at], f"{title}. {heading}. {rest}", (title, heading))

    def _spoken_questions(self) -> list[tuple[str, str, str, str]]:
        """(place, question, id, passage) of the snippets, whose titles are `place: question`."""
        found = []
        for id_, title, text in self._corpora["dstc10_spoken"]:
            place, _, question = title.partition(": ")
            found.append((place, question, id_, passage_text(title, text)))
        self._of_place: dict[str, list[tuple[str, str]]] = {}
        for place, _, id_, passage in found:
            self._of_place.setdefault(place, []).append((id_, passage))
        return found

    def _spoken(self) -> Pair:
        """A snippet's question as somebody might say it on the phone, after a made-up conversation that names the place."""
        rng = self.rng
        place, question, id_, passage = rng.choice(self._questions)
        for written, said in SPOKEN_FOR.items():
            if written in question and rng.random() < 0.5:
                question = question.replace(written, said)
        question = re.sub(re.escape(place), rng.choice(["it", "there", "the place"]), question, flags=re.I)
        question = rng.choice(FILLERS) + self._said(question)
        before = [self._said(rng.choice(OFFERS).format(place))]
        for _ in range(rng.randrange(3)):
            before.insert(rng.randrange(len(before) + 1), rng.choice(REQUESTS))
        if rng.random() < 0.3:
            other = self._said(rng.choice(self._questions)[1])
            before.append(other if rng.random() < 0.3 else rng.choice(REQUESTS))
        if rng.random() < 0.25:
            before.insert(0, self._said(rng.choice(OFFERS).format(rng.choice(self._questions)[0])))
        other_id, wrong = rng.choice(self._of_place[place])
        said = SEPARATOR.join([question, *reversed(before[-TURNS:])])
        return Pair(said, passage, id_, wrong if other_id != id_ else None)

    def _said(self, text: str) -> str:
        """As a recogniser writes: small letters, no punctuation, here and there a word lost or cut short."""
        words = re.sub(r"[^a-z0-9' ]", " ", text.lower()).split()
        if len(words) > 4 and self.rng.random() < 0.3:
            del words[self.rng.randrange(len(words))]
        if words and self.rng.random() < 0.15:
            at = self.rng.randrange(len(words))
            words[at] = words[at][: max(1, len(words[at]) - 1)]
        return " ".join(words)


def _by_intent(data: Data, everything: bool) -> dict[str, dict[str, list[str]]]:
    """Texts by set and intent, those of one text left out."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in INTENT_SETS:
        labelled = data.intents[name] + (data.intents["clinc_dev"] if name == "clinc" and everything else [])
        by_intent: dict[str, list[str]] = {}
        for text, intent in labelled:
            by_intent.setdefault(intent, []).append(text)
        found[name] = {intent: texts for intent, texts in by_intent.items() if len(texts) > 1}
    return found
