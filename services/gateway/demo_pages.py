"""A tenant's articles as a small web site with the widget on it: text to text, no HTTP and no store.

The templates in `demo/` are `string.Template`s. Every value is escaped here, except what was rendered from Markdown (with
HTML switched off) or by another template.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template

import yaml
from markdown_it import MarkdownIt

from schemas.tenant import Article, TenantConfig, TenantContent
from services.gateway import demo_calls

FOLDER = Path(__file__).parent / "demo"
SUMMARY_CHARS = 110
SHOWN_AT_ONCE = 3
CALL_SCRIPTS = (
    '<link rel="stylesheet" href="/demo/static/call.css">\n'
    '<script type="module" src="/demo/static/call.js"></script>'
)

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "headline": "How can we help?",
        "lead": "Find the answer here, or ask {assistant}: it answers from these pages and names its sources.",
        "topics": "Topics",
        "other": "More",
        "rest": "{number} more in {topic}",
        "back": "All topics",
        "valid": "Valid from {start}",
        "valid_until": "Valid from {start} to {end}",
        "skip": "Skip to content",
        "languages": "Language",
        "footer": "{name} is fictitious: this site shows Parley at work.",
        "missing": "This page does not exist",
        "missing_text": "The address is wrong, or the page is no longer valid.",
    },
    "zh": {
        "headline": "有什么可以帮您？",
        "lead": "您可以在这里查找答案，也可以直接问{assistant}：它依据这些页面回答，并注明来源。",
        "topics": "常见主题",
        "other": "其他",
        "rest": "{topic}：另有 {number} 篇",
        "back": "全部主题",
        "valid": "自 {start} 起有效",
        "valid_until": "有效期 {start} 至 {end}",
        "skip": "跳到正文",
        "languages": "语言",
        "footer": "{name}为虚构机构，本网站用于演示 Parley。",
        "missing": "页面不存在",
        "missing_text": "地址有误，或该页面已失效。",
    },
}
_LANGUAGE_NAMES: Mapping[str, str] = {"en": "English", "zh": "中文"}
_MARKUP = re.compile(r"[*_`]+|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    html: str


class Site:
    """The pages of one version of a tenant. Immutable but for Markdown's renderer, which keeps no state between texts."""

    def __init__(
        self,
        config: TenantConfig,
        content: TenantContent,
        widget_key: str,
        calls: Sequence[demo_calls.Example] = (),
    ) -> None:
        self._config = config
        self._widget_key = widget_key
        self._calls = calls
        self._articles = {(article.language, article.id): article for article in content.articles}
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._page, self._home, self._topic, self._article, self._call = (
            Template((FOLDER / name).read_text("utf-8"))
            for name in ("page.html", "home.html", "topic.html", "article.html", "call.html")
        )
        self._topics = yaml.safe_load((FOLDER / "topics.yaml").read_text("utf-8"))

    @property
    def languages(self) -> tuple[str, ...]:
        return self._config.languages

    @property
    def default_language(self) -> str:
        return self._config.default_language

    def home(self, language: str, today: date) -> Page:
        """What is valid today, by topic."""
        words = _words(language)
        assistant = self._localized(self._config.assistant.name, language)
        valid = (
            article
            for article in self._articles.values()
            if article.language == language and article.valid_on(today)
        )
        topics = self._by_topic(valid, language)
        main = self._home.substitute(
            headline=html.escape(words["headline"]),
            lead=html.escape(words["lead"].format(assistant=assistant)),
            call=self._call_link(language) if self._calls else "",
            topics_title=html.escape(words["topics"]),
            jumps="".join(
                f'<a href="#{anchor}">{html.escape(title)}</a>' for anchor, (title, _) in topics.items()
            ),
            topics="".join(
                self._section(anchor, title, articles, language)
                for anchor, (title, articles) in topics.items()
            ),
        )
        return Page(200, self._frame(language, self._localized(self._config.name, language), main))

    def article(self, article_id: str, language: str) -> Page:
        """The article in this language, else in another one; a page that says so where there is none."""
        found = self._find(article_id, language)
        if found is None:
            return self.missing(language)
        words = _words(language)
        valid = words["valid"] if found.valid_until is None else words["valid_until"]
        main = self._article.substitute(
            tenant=html.escape(self._config.id),
            lang=html.escape(language),
            back=html.escape(words["back"]),
            heading=html.escape(found.title),
            valid=html.escape(valid.format(start=found.valid_from, end=found.valid_until)),
            body=self._markdown.render(found.text),
        )
        return Page(200, self._frame(language, found.title, main))

    def call(self, language: str) -> Page:
        """Where an example call plays; a page that says so where the tenant has none. Its visitor is an agent: no chat stands on it."""
        if not self._calls:
            return self.missing(language)
        own = self._config.calls.checklist or ()
        checks = {each.id: self._localized(each.title, language) for each in own}
        main = demo_calls.body(self._call, self._config.id, language, self._calls, checks)
        title = demo_calls.words_of(language)["title"]
        return Page(200, self._frame(language, title, main, CALL_SCRIPTS, ' class="call"'))

    def missing(self, language: str) -> Page:
        words = _words(language)
        main = self._article.substitute(
            tenant=html.escape(self._config.id),
            lang=html.escape(language),
            back=html.escape(words["back"]),
            heading=html.escape(words["missing"]),
            valid="",
            body=f"<p>{html.escape(words['missing_text'])}</p>",
        )
        return Page(404, self._frame(language, words["missing"], main))

    def _find(self, article_id: str, language: str) -> Article | None:
        wanted = (language, self._config.default_language, *self._config.languages)
        return next(
            (self._articles[each, article_id] for each in wanted if (each, article_id) in self._articles),
            None,
        )

    def _by_topic(self, articles: Iterable[Article], language: str) -> dict[str, tuple[str, list[Article]]]:
        """Anchor to title and articles, in the order of `topics.yaml`; what fits nowhere comes last."""
        of_word = {word: n for n, topic in enumerate(self._topics) for word in topic["words"]}
        found: dict[int, list[Article]] = {}
        for article in articles:
            known = (of_word[word] for word in article.id.split("-") if word in of_word)
            found.setdefault(next(known, len(self._topics)), []).append(article)
        titles = [topic["title"].get(language, topic["title"]["en"]) for topic in self._topics]
        titles.append(_words(language)["other"])
        return {f"topic-{n}": (titles[n], found[n]) for n in sorted(found)}

    def _section(self, anchor: str, title: str, articles: Sequence[Article], language: str) -> str:
        cards = [self._card(article, language) for article in articles]
        rest = "".join(cards[SHOWN_AT_ONCE:])
        label = _words(language)["rest"].format(number=len(cards) - SHOWN_AT_ONCE, topic=title)
        return self._topic.substitute(
            anchor=anchor,
            title=html.escape(title),
            first="".join(cards[:SHOWN_AT_ONCE]),
            rest=rest
            and f'<details><summary>{html.escape(label)}</summary><ul class="cards">{rest}</ul></details>',
        )

    def _card(self, article: Article, language: str) -> str:
        link = f"/demo/{self._config.id}/help/{article.id}?lang={language}"
        title, summary = html.escape(article.title), html.escape(_summary(article.text))
        return f'<li><a href="{html.escape(link)}"><strong>{title}</strong><span>{summary}</span></a></li>'

    def _call_link(self, language: str) -> str:
        link = html.escape(f"/demo/{self._config.id}/call?lang={language}")
        return (
            f'<p class="also"><a href="{link}">{html.escape(demo_calls.words_of(language)["link"])}</a></p>\n'
        )

    def _widget(self, language: str) -> str:
        """The widget's one line."""
        return (
            f'<script async src="/widget.js" data-tenant="{html.escape(self._config.id)}"'
            f' data-key="{html.escape(self._widget_key)}" data-locale="{html.escape(language)}"></script>'
        )

    def _frame(self, language: str, title: str, main: str, scripts: str | None = None, body: str = "") -> str:
        words = _words(language)
        name = self._localized(self._config.name, language)
        return self._page.substitute(
            lang=html.escape(language),
            title=html.escape(title if title == name else f"{title} · {name}"),
            tenant=html.escape(self._config.id),
            scripts=self._widget(language) if scripts is None else scripts,
            body=body,
            skip=html.escape(words["skip"]),
            name=html.escape(name),
            languages_label=html.escape(words["languages"]),
            language_links="".join(self._language_link(each, language) for each in self._config.languages),
            main=main,
            footer=html.escape(words["footer"].format(name=name)),
        )

    def _language_link(self, language: str, current: str) -> str:
        here = ' aria-current="true"' if language == current else ""
        code, name = html.escape(language), html.escape(_LANGUAGE_NAMES.get(language, language))
        return f'<a href="?lang={code}" lang="{code}"{here}>{name}</a>'

    def _localized(self, texts: Mapping[str, str], language: str) -> str:
        found = texts.get(language) or texts.get(self._config.default_language)
        return found if found is not None else next(iter(texts.values()))


def _words(language: str) -> Mapping[str, str]:
    return _WORDS.get(language, _WORDS["en"])


def _summary(text: str) -> str:
    """The first paragraph that is no heading and no table, without its markup, cut at a word."""
    paragraphs = (part.strip() for part in text.split("\n\n"))
    first = next((part for part in paragraphs if part and part[0] not in "#|"), "")
    plain = " ".join(_MARKUP.sub(lambda found: found[1] or "", first).split())
    if len(plain) <= SUMMARY_CHARS:
        return plain
    cut = plain[:SUMMARY_CHARS]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut[-20:] else cut}…"
