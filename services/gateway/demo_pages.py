"""The pages of a tenant's demo site, from its templates and its current articles. Pure text work: no HTTP, no store."""

import html
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

from parley.domain.chunking import sections
from schemas.tenant import Article, TenantConfig

HERE = Path(__file__).resolve().parent / "demo"
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}

WORDS = {
    "en": {
        "skip": "Skip to content",
        "languages_label": "Language",
        "headline": "Questions about $name? Just ask.",
        "lead": "The assistant in the corner answers from the help articles below, shows its sources, and says so when it does "
        "not know.",
        "topics_title": "Help articles",
        "footer": "$name is fictitious: a demonstration of Parley. Nothing here is a real offer.",
        "back": "← All help articles",
        "valid": "Valid from $from",
        "valid_until": "Valid from $from until $until",
        "missing": "This page does not exist",
        "missing_lead": "The article was moved, or it is no longer valid.",
    },
    "zh": {
        "skip": "跳到正文",
        "languages_label": "语言",
        "headline": "关于$name的问题，问一问就知道。",
        "lead": "右下角的助手根据下面的帮助文章回答，并注明来源；不知道时会直说。",
        "topics_title": "帮助文章",
        "footer": "$name为虚构机构，仅用于演示 Parley，页面内容不构成任何真实要约。",
        "back": "← 全部帮助文章",
        "valid": "自 $from 起有效",
        "valid_until": "有效期 $from 至 $until",
        "missing": "页面不存在",
        "missing_lead": "文章已移动，或已不再有效。",
    },
}


class Pages:
    """Renders complete pages. Texts are escaped here; Markdown is rendered without raw HTML."""

    def __init__(self) -> None:
        self._page, self._home, self._article = (
            Template((HERE / f"{name}.html").read_text(encoding="utf-8")) for name in ("page", "home", "article")
        )
        self._markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")

    def home(self, config: TenantConfig, articles: Sequence[Article], language: str, key: str, today: date) -> str:
        words = self._words(config, language)
        shown = [a for a in articles if a.language == language and is_valid(a, today)]
        cards = "".join(_card(article, language) for article in sorted(shown, key=lambda a: a.title))
        return self._whole(config, language, key, words["headline"], self._home, {**words, "articles": cards})

    def article(self, config: TenantConfig, article: Article, language: str, key: str) -> str:
        words = self._words(config, language)
        until = article.valid_until
        kind = "valid" if until is None else "valid_until"
        valid = Template(words[kind]).substitute({"from": article.valid_from, "until": until or ""})
        fields = {
            "heading": html.escape(article.title),
            "back": words["back"],
            "valid": valid,
            "body": self._markdown.render(article.text),
        }
        return self._whole(config, language, key, article.title, self._article, fields, f"/help/{article.id}")

    def missing(self, config: TenantConfig, language: str, key: str) -> str:
        words = self._words(config, language)
        fields = {"heading": words["missing"], "back": words["back"], "valid": words["missing_lead"], "body": ""}
        return self._whole(config, language, key, words["missing"], self._article, fields)

    def _words(self, config: TenantConfig, language: str) -> dict[str, str]:
        words = WORDS.get(language, WORDS["en"])
        name = html.escape(named(config, language))
        return {key: text.replace("$name", name) for key, text in words.items()}

    def _whole(
        self,
        config: TenantConfig,
        language: str,
        key: str,
        title: str,
        inner: Template,
        fields: dict[str, str],
        path: str = "",
    ) -> str:
        words = self._words(config, language)
        name = html.escape(named(config, language))
        common = {"tenant": config.id, "lang": language}
        return self._page.substitute(
            common,
            title=f"{html.escape(title)} · {name}",
            widget_key=key,
            name=name,
            skip=words["skip"],
            languages_label=words["languages_label"],
            language_links=_language_links(config, language, path),
            main=inner.substitute(common, **fields),
            footer=words["footer"],
        )


def named(config: TenantConfig, language: str) -> str:
    return config.name.get(language) or config.name[config.default_language]


def is_valid(article: Article, today: date) -> bool:
    return article.valid_from <= today and (article.valid_until is None or today <= article.valid_until)


def _card(article: Article, language: str) -> str:
    lead = next((section.text for section in sections(article.text)), "").split("\n")[0]
    link = html.escape(f"{article.url}?lang={language}")
    return f'<li><a href="{link}"><strong>{html.escape(article.title)}</strong><span>{html.escape(lead)}</span></a></li>'


def _language_links(config: TenantConfig, language: str, path: str) -> str:
    links = []
    for each in config.languages:
        current = ' aria-current="true"' if each == language else ""
        label = html.escape(LANGUAGE_NAMES.get(each, each))
        links.append(f'<a href="/demo/{config.id}{path}?lang={each}" lang="{each}"{current}>{label}</a>')
    return "".join(links)
