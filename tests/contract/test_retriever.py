"""The retriever port, one suite on every index: what is written anew, what is found, and that all give the same."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from parley.backends.hybrid import VERSIONS_KEPT
from parley.backends.tenant_folder import load
from parley.domain.chunking import chunks_of
from parley.domain.fusing import Found
from parley.ports.models import Query
from schemas.base import TenantId
from tests.support.retrievers import (
    ROUNDING,
    TODAY,
    Exact,
    RetrieverBackend,
    chunk,
    names,
    new_tenant,
    query,
)
from tests.support.vectors import NO_VECTORS, HashedWords, vectors_by

BANK = Path(__file__).resolve().parents[2] / "tenants" / "bank"
ENCODER = HashedWords()
VECTORS = vectors_by(ENCODER)

FEES = chunk("fees", "The account costs €4.50 a month.", title="Account fees")
LOST = chunk("lost", "Freeze the card in the app at once.", title="Lost card", asked_as=("my purse is gone",))
HOURS = chunk("hours", "Branches open at nine.", title="Opening hours")
LOST_ZH = chunk("lost", "请立即在手机应用中冻结银行卡。", title="银行卡丢失", language="zh")
ALL = (FEES, LOST, HOURS, LOST_ZH)


@pytest.fixture
def tenant() -> TenantId:
    return new_tenant()


@pytest.fixture
def held(index: RetrieverBackend, tenant: TenantId) -> RetrieverBackend:
    """With all the chunks as version v1 of the tenant."""
    assert index.retriever.sync(tenant, "v1", ALL, VECTORS) == len(ALL)
    return index


def found(
    index: RetrieverBackend,
    tenant: TenantId,
    text: str,
    version: str = "v1",
    *,
    language: str = "en",
    on: str = TODAY,
) -> tuple[Found, ...]:
    asked = query(text, VECTORS, language=language, on=on)
    [result] = index.retriever.search(tenant, version, [asked])
    return result


class TestWriting:
    def test_only_what_is_new_is_encoded(self, index: RetrieverBackend, tenant: TenantId) -> None:
        encoder = HashedWords()
        vectors = vectors_by(encoder)
        assert index.retriever.sync(tenant, "v1", ALL, vectors) == 4
        assert len(encoder.encoded) == 3  # the fourth is Chinese
        encoder.encoded.clear()

        assert index.retriever.sync(tenant, "v1", ALL, vectors) == 0
        dearer = chunk("fees-2", "The account costs €5 a month.", title="Account fees")
        assert index.retriever.sync(tenant, "v2", (dearer, *ALL[1:]), vectors) == 1
        assert encoder.encoded == ["Account fees. The account costs €5 a month."]

    def test_another_encoder_has_everything_encoded_again(
        self, held: RetrieverBackend, tenant: TenantId
    ) -> None:
        newer = HashedWords("hashed-words-2")
        assert held.retriever.ready(tenant, "v1", ENCODER.name)
        assert not held.retriever.ready(tenant, "v1", newer.name)
        assert held.retriever.sync(tenant, "v1", ALL, vectors_by(newer)) == 4
        assert len(newer.encoded) == 3
        assert held.retriever.ready(tenant, "v1", newer.name)
        asked = query("Lost card. Freeze the card in the app at once.", vectors_by(newer))
        [[best, *_]] = held.retriever.search(tenant, "v1", [asked])
        assert best.similarity == pytest.approx(1.0, abs=ROUNDING)

    def test_vectors_of_two_encoders_are_not_compared(self, held: RetrieverBackend, tenant: TenantId) -> None:
        """v2 shares a chunk with v1, and has had it encoded by another encoder."""
        held.retriever.sync(tenant, "v2", (LOST,), vectors_by(HashedWords("hashed-words-2")))
        by_name = {each.passage.article_id: each.similarity for each in found(held, tenant, "lost card fees")}
        assert by_name["lost"] is None and by_name["fees"] is not None

    def test_a_version_is_ready_once_it_is_written(self, index: RetrieverBackend, tenant: TenantId) -> None:
        assert not index.retriever.ready(tenant, "v1", ENCODER.name)
        index.retriever.sync(tenant, "v1", ALL, VECTORS)
        assert index.retriever.ready(tenant, "v1", ENCODER.name)
        assert not index.retriever.ready(tenant, "v2", ENCODER.name)
        assert not index.retriever.ready(new_tenant(), "v1", ENCODER.name)

    def test_without_an_encoder_words_are_enough(self, index: RetrieverBackend, tenant: TenantId) -> None:
        index.retriever.sync(tenant, "v1", ALL, NO_VECTORS)
        assert index.retriever.ready(tenant, "v1", NO_VECTORS.name)
        [[best]] = index.retriever.search(tenant, "v1", [Query("account fees", "en", TODAY)])
        assert names([best]) == ["fees"] and best.similarity is None and best.lexical > 0

    def test_two_at_once_write_it_once(self, index: RetrieverBackend, tenant: TenantId) -> None:
        with ThreadPoolExecutor(4) as pool:
            written = list(pool.map(lambda _: index.retriever.sync(tenant, "v1", ALL, VECTORS), range(4)))
        assert sorted(written) == [0, 0, 0, 4]
        assert len(found(index, tenant, "card")) == 3

    def test_a_tenant_may_have_nothing(self, index: RetrieverBackend, tenant: TenantId) -> None:
        assert index.retriever.sync(tenant, "v1", (), VECTORS) == 0
        assert index.retriever.ready(tenant, "v1", ENCODER.name)
        assert found(index, tenant, "card") == ()


class TestVersions:
    def test_each_has_its_own_chunks(self, held: RetrieverBackend, tenant: TenantId) -> None:
        dearer = chunk("dearer", "The account costs €5 a month.", title="Account fees")
        held.retriever.sync(tenant, "v2", (dearer, *ALL[1:]), VECTORS)
        assert names(found(held, tenant, "account fees", "v1"))[0] == "fees"
        assert names(found(held, tenant, "account fees", "v2"))[0] == "dearer"
        assert "dearer" not in names(found(held, tenant, "account fees", "v1"))
        assert "fees" not in names(found(held, tenant, "account fees", "v2"))

    def test_another_version_changes_no_score(self, held: RetrieverBackend, tenant: TenantId) -> None:
        before = found(held, tenant, "account card fees")
        more = [chunk(f"more-{number}", f"A fee of €{number} for the card.") for number in range(20)]
        held.retriever.sync(tenant, "v2", more, VECTORS)
        assert found(held, tenant, "account card fees") == before

    def test_old_ones_are_forgotten_with_what_only_they_had(
        self, held: RetrieverBackend, tenant: TenantId
    ) -> None:
        for number in range(2, VERSIONS_KEPT + 2):
            held.retriever.sync(tenant, f"v{number}", (LOST, HOURS), VECTORS)
        assert not held.retriever.ready(tenant, "v1", ENCODER.name)
        assert found(held, tenant, "account fees") == ()
        assert names(found(held, tenant, "lost card", "v2"))[0] == "lost"
        assert held.retriever.sync(tenant, "v9", ALL, VECTORS) == 2  # those that were gone

    def test_one_that_is_imported_again_is_the_newest(self, held: RetrieverBackend, tenant: TenantId) -> None:
        held.retriever.sync(tenant, "v2", (LOST,), VECTORS)
        assert held.retriever.sync(tenant, "v1", ALL, VECTORS) == 0
        for number in range(3, VERSIONS_KEPT + 2):
            held.retriever.sync(tenant, f"v{number}", (HOURS,), VECTORS)
        assert held.retriever.ready(tenant, "v1", ENCODER.name)
        assert not held.retriever.ready(tenant, "v2", ENCODER.name)
        assert names(found(held, tenant, "account fees"))[0] == "fees"

    def test_one_that_is_not_there_has_nothing(self, held: RetrieverBackend, tenant: TenantId) -> None:
        assert found(held, tenant, "account fees", "v7") == ()
        assert held.retriever.search(new_tenant(), "v1", [query("account fees", VECTORS)]) == [()]


class TestFinding:
    def test_by_words(self, held: RetrieverBackend, tenant: TenantId) -> None:
        best, *_ = found(held, tenant, "What does the account cost a month?")
        assert best.passage.article_id == "fees" and best.lexical > 0
        assert best.passage.model_copy(update={"score": 0.0}).model_dump() == {
            "chunk_id": "en/fees",
            "article_id": "fees",
            "title": "Account fees",
            "url": "/fees",
            "path": (),
            "language": "en",
            "text": "The account costs €4.50 a month.",
            "score": 0.0,
        }

    def test_by_what_customers_call_it(self, held: RetrieverBackend, tenant: TenantId) -> None:
        assert names(found(held, tenant, "purse"))[0] == "lost"

    def test_by_meaning_alone(self, held: RetrieverBackend, tenant: TenantId) -> None:
        [vector] = VECTORS.of_questions([("en", "Opening hours. Branches open at nine.")])
        [[best, *_]] = held.retriever.search(tenant, "v1", [Query("", "en", TODAY, vector=vector)])
        assert best.passage.article_id == "hours" and best.lexical == 0
        assert best.similarity == pytest.approx(1.0, abs=ROUNDING)

    def test_scores_fall_and_lie_between_0_and_1(self, held: RetrieverBackend, tenant: TenantId) -> None:
        scores = [each.score for each in found(held, tenant, "card at the branch")]
        assert len(scores) == 3 and scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)

    def test_no_more_than_asked_for(self, held: RetrieverBackend, tenant: TenantId) -> None:
        asked = query("card at the branch", VECTORS, limit=2)
        assert [len(each) for each in held.retriever.search(tenant, "v1", [asked])] == [2]

    def test_the_topic_counts_less_than_the_question(self, held: RetrieverBackend, tenant: TenantId) -> None:
        asked = (Query("card", "en", TODAY, topic="hours"), Query("hours", "en", TODAY, topic="card"))
        results = held.retriever.search(tenant, "v1", asked)
        assert [names(each) for each in results] == [["lost", "hours"], ["hours", "lost"]]

    def test_no_other_tenants(self, held: RetrieverBackend, tenant: TenantId) -> None:
        other = new_tenant()
        held.retriever.sync(other, "v1", (chunk("secret", "The account is ours alone."),), VECTORS)
        assert names(found(held, other, "account fees")) == ["secret"]
        assert "secret" not in names(found(held, tenant, "account is ours alone"))

    def test_no_other_languages(self, held: RetrieverBackend, tenant: TenantId) -> None:
        [only] = found(held, tenant, "银行卡丢了怎么办", language="zh")
        assert only.passage.chunk_id == "zh/lost" and only.similarity is None
        assert {each.passage.language for each in found(held, tenant, "银行卡 card")} == {"en"}
        assert found(held, tenant, "card", language="de") == ()

    @pytest.mark.parametrize("text", ["offer", "Autumn offer. 3 % on savings."])
    def test_nothing_outside_its_dates(self, index: RetrieverBackend, tenant: TenantId, text: str) -> None:
        """By words and by meaning; the first and the last day are inside."""
        offer = chunk(
            "offer",
            "3 % on savings.",
            title="Autumn offer",
            valid_from="2026-09-01",
            valid_until="2026-11-23",
        )
        index.retriever.sync(tenant, "v1", (offer, FEES), VECTORS)
        days = ("2026-08-31", "2026-09-01", "2026-11-23", "2026-11-24", "2027-01-01")
        inside = ["offer" in names(found(index, tenant, text, on=day)) for day in days]
        assert inside == [False, True, True, False, False]

    def test_each_query_gets_its_own(self, held: RetrieverBackend, tenant: TenantId) -> None:
        texts = ("account fees", "lost card", "opening hours") * 10
        results = held.retriever.search(tenant, "v1", [query(text, VECTORS) for text in texts])
        assert [names(each)[0] for each in results] == ["fees", "lost", "hours"] * 10

    def test_many_at_once(self, held: RetrieverBackend, tenant: TenantId) -> None:
        texts = ("account fees", "lost card", "opening hours") * 20
        with ThreadPoolExecutor(6) as pool:
            results = list(pool.map(lambda text: names(found(held, tenant, text))[0], texts))
        assert results == ["fees", "lost", "hours"] * 20

    def test_what_another_process_wrote(self, held: RetrieverBackend, tenant: TenantId) -> None:
        other = held.another()
        assert other.ready(tenant, "v1", ENCODER.name)
        assert other.sync(tenant, "v1", ALL, VECTORS) == 0
        other.sync(tenant, "v2", (chunk("new", "A new account."),), VECTORS)
        assert names(found(held, tenant, "account", "v2")) == ["new"]


ODD = {
    "nothing": "",
    "blanks": " \t\n ",
    "common words": "what is the of and",
    "punctuation": "?!… --- ''' \"\"\" \\ // ;",
    "emoji": "💳🔥 my card 👩‍👩‍👧 is gone 🇮🇪",
    "long": "my card " * 500,
    "one long word": "x" * 4000,
    "many words": " ".join(
        f"q{first}{second}" for first in "abcdefghijklmnopqrstuvwxyz" for second in "bcdfghjklmnpqrstvwxz"
    ),
    "quotes": 'my "lost card" and \'purse" OR',
    "operators": "card AND NOT (lost OR NEAR(card purse, 2)) title:card card* ^card -card +lost",
    "boosts": "title^3 text^0 {card} [lost] ~2 \\N \\u0041",
    "sql": "card'); DROP TABLE chunks; --",
    "mixed": "card 银行卡 ١٢٣ ＣＡＲＤ ﬁx",
    "right to left": "כרטיס אבוד بطاقة ضائعة",
    "combining": "ca\u0301rd e\u0301\u0302\u0303",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_no_text_is_too_odd(held: RetrieverBackend, tenant: TenantId, text: str) -> None:
    asked = [query(text, VECTORS), query(text, NO_VECTORS), query(text, VECTORS, language="zh")]
    by_both, by_words, _ = held.retriever.search(tenant, "v1", asked)
    assert by_both  # by meaning something is always near
    assert names(by_words)[:1] == (["lost"] if "card" in text else [])


@pytest.mark.parametrize("text", [text for text in ODD.values() if text.strip()])
def test_what_is_odd_can_be_kept(index: RetrieverBackend, tenant: TenantId, text: str) -> None:
    odd = chunk("odd", text, title=text[:200])
    index.retriever.sync(tenant, "v1", (odd, FEES), VECTORS)
    [result] = index.retriever.search(tenant, "v1", [query(text, VECTORS)])
    [kept] = [each.passage for each in result if each.passage.article_id == "odd"]
    assert kept.text == text and kept.title == text[:200]


def test_follow_ups_find_what_comparing_everything_finds(index: RetrieverBackend, tenant: TenantId) -> None:
    """With eight turns before them, far more terms than a question has, and with names that only earlier turns say."""
    folder = load(BANK)
    chunks = chunks_of(article for article in folder.content.articles if article.valid_until is None)
    index.retriever.sync(tenant, "v1", chunks, VECTORS)
    everything = Exact(chunks, ENCODER)
    for language, text in (("zh", "那学生呢？"), ("en", "and for students?")):
        said = [texts[language][0] for texts in folder.content.examples.values() if language in texts]
        asked = [
            replace(query(text, VECTORS, language=language, limit=10), history=tuple(said[at : at + 8]))
            for at in range(0, 40, 8)
        ]
        for each, result in zip(asked, index.retriever.search(tenant, "v1", asked), strict=True):
            exact = [fused.score for fused in everything.scores(each).values()]
            assert [got.score for got in result] == pytest.approx(exact[:10], abs=ROUNDING)


def test_the_best_are_those_of_comparing_everything(index: RetrieverBackend, tenant: TenantId) -> None:
    """So all indexes give the same, in the same order, as far as rounded vectors let scores differ."""
    folder = load(BANK)
    chunks = chunks_of(article for article in folder.content.articles if article.valid_until is None)
    index.retriever.sync(tenant, "v1", chunks, VECTORS)
    asked = [
        query(texts[0], VECTORS, language=language, limit=10)
        for by_language in folder.content.examples.values()
        for language, texts in by_language.items()
    ]
    assert len(asked) > 50
    everything = Exact(chunks, ENCODER)
    for each, result in zip(asked, index.retriever.search(tenant, "v1", asked), strict=True):
        exact = everything.scores(each)
        assert len(result) == min(each.limit, len(exact))
        for got, expected in zip(result, exact.values(), strict=False):
            same = exact[got.passage.chunk_id]
            assert got.score == pytest.approx(same.score, abs=ROUNDING)
            assert got.lexical == pytest.approx(same.scored.lexical, abs=ROUNDING)
            assert got.similarity == pytest.approx(same.scored.similarity, abs=ROUNDING)
            # Another one at this place only where both are as good.
            assert same.score == pytest.approx(expected.score, abs=ROUNDING)
