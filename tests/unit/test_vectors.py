"""What of questions and chunks is encoded, and when the encoder is opened."""

from parley.ports.models import Encoder
from tests.support.retrievers import chunk
from tests.support.vectors import HashedWords
from workers.rag.vectors import Vectors, text_of


def test_the_encoder_is_opened_when_a_text_needs_it() -> None:
    opened: list[str] = []

    def open_encoder() -> Encoder:
        opened.append("encoder")
        return HashedWords()

    vectors = Vectors("name", {"en": open_encoder})
    assert vectors([]) == [] and vectors([chunk("a", "卡", language="zh")]) == [None]
    assert opened == []
    [known, unknown] = vectors.of_questions([("en", "card"), ("zh", "卡")])
    assert known is not None and unknown is None and opened == ["encoder"]


def test_a_chunk_is_encoded_below_its_title_and_headings() -> None:
    plain = chunk("a", "Freeze it.", title="Lost card")
    assert text_of(plain) == "Lost card. Freeze it."
    assert text_of(chunk("a", "Freeze it.", title="")) == "Freeze it."
