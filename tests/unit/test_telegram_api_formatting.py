"""HTML as the emulated Bot API reads it."""

from typing import Any

import pytest

from tests.telegram_api.errors import ApiError
from tests.telegram_api.formatting import parsed_html, plain, utf16_units


def entity(kind: str, offset: int, length: int, **more: str) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("a &lt;b&gt; &amp; &quot;c&quot; &#233; &#x1F600;", 'a <b> & "c" é 😀', []),
        ("&nbsp; &copy &#0; & x", "&nbsp; &copy &#0; & x", []),
        ("😀<b>bold</b>", "😀bold", [entity("bold", 2, 4)]),
        ("<B>a<i>b</I></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
        ("<b>a</>", "a", [entity("bold", 0, 1)]),
        ("<b></b>x", "x", []),
        (
            '<a href="https://a.b/?x=1&amp;y=2">w</a>',
            "w",
            [entity("text_link", 0, 1, url="https://a.b/?x=1&y=2")],
        ),
        ("<a>https://a.b</a>", "https://a.b", [entity("text_link", 0, 11, url="https://a.b")]),
        ("<a href='javascript'>w</a>", "w", []),
        ("<pre><code class='language-py'>x</code></pre>", "x", [entity("pre", 0, 1, language="py")]),
        ("<span class=tg-spoiler>x</span>", "x", [entity("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [entity("expandable_blockquote", 0, 1)]),
        ("<blockquote>x</blockquote>", "x", [entity("blockquote", 0, 1)]),
        ("  \n<b> a</b>b \n", "ab", [entity("bold", 0, 1)]),
        (" x<b> y </b> ", "x y", [entity("bold", 1, 2)]),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[dict[str, Any]]) -> None:
    found = parsed_html(source)
    assert (found.text, found.entities) == (text, entities)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("é <b", "Unclosed start tag at byte offset 3"),
        ("é <p>x</p>", 'Unsupported start tag "p" at byte offset 3'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        (
            "<a href>x</a>",
            'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0',
        ),
        ('<a href="x>y', "Unclosed start tag at byte offset 0"),
        ("<a ='x'>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_that_telegram_refuses_is_refused_in_its_words(source: str, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        parsed_html(source)
    assert refused.value.answer() == {
        "ok": False,
        "error_code": 400,
        "description": f"Bad Request: can't parse entities: {why}",
    }


def test_lengths_are_in_utf16_units() -> None:
    assert [utf16_units(text) for text in ("", "a", "é", "中", "😀", "👩‍💻")] == [0, 1, 1, 1, 2, 5]


def test_given_entities_move_with_the_white_space_that_is_cut() -> None:
    found = plain("  😀 ab ", [entity("bold", 5, 3), entity("italic", 0, 2)])
    assert (found.text, found.entities) == ("😀 ab", [entity("bold", 3, 2)])
