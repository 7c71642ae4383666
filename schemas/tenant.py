"""The tenant folder's contract: `tenant.yaml`, articles' front matter, intents, canned texts; and a version of it all.

A version is immutable and named by the digest of its content. Deciders get its `TenantConfig` (routes, texts, hours,
thresholds); the intent and RAG workers get its `TenantContent` (examples, articles).
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import TENANT_PATTERN, Contract, TenantId
from schemas.parts import Language, RiskKind
from schemas.privacy import Privacy

Route = Literal["answer", "ask", "handoff", "canned"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Localized = Annotated[dict[Language, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]

_HOST = r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
ORIGIN_PATTERN = (
    rf"\*|http://{_HOST}(?::(?!80$)[1-9][0-9]{{0,4}})?|https://{_HOST}(?::(?!443$)[1-9][0-9]{{0,4}})?"
)
"""An origin as browsers write it, or `*`. Checked where one comes in; what was stored once is not refused any more."""
ORIGIN_ALLOWED = (
    "https://HOST or https://HOST:PORT in small letters, without a path or a slash at the end; * for any"
)

REQUIRED_CANNED: tuple[str, ...] = (
    "greeting",
    "goodbye",
    "thanks",
    "nothing_found",
    "rephrase",
    "apology",
    "handoff_nobody",
    "handoff_closed",
    "handoff_waiting",
    "back_to_bot",
    "too_long",
    "closed",
)
"""Canned texts that the platform itself says; a tenant without one of them is refused."""


class WebChannel(Contract):
    """Origins that may use the widget, exactly as the browser sends them; `*` allows any (a demo)."""

    origins: tuple[str, ...] = ("*",)


class Channels(Contract):
    web: WebChannel = WebChannel()


class Assistant(Contract):
    name: Localized
    greeting: Localized
    suggestions: dict[Language, tuple[str, ...]] = {}  # noqa: RUF012  # frozen, so nobody can change it


class BusinessHours(Contract):
    """When human agents work, in the tenant's own time zone."""

    timezone: str
    weekly: dict[Weekday, tuple[Hours, ...]]
    holidays: tuple[date, ...] = ()


class ModelChoice(Contract):
    """`adapter`: the live one where nothing is said, `base` for none, or the digest of a version.

    `on_quarantine`: who answers while a version is quarantined, the version before it or the base model.
    """

    base: str | None = None
    adapter: str | None = None
    on_quarantine: Literal["previous", "base"] = "previous"


class Prompts(Contract):
    system: Localized
    max_tokens: Annotated[int, Field(ge=16, le=4096)] = 400


class FewShot(Contract):
    language: Language
    question: str
    answer: str


class Thresholds(Contract):
    """`intent`: probability below which an intent counts as unknown; `passage`: score below which nothing was found."""

    intent: Annotated[float, Field(ge=0, le=1)] = 0.35
    passage: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.45


class Limits(Contract):
    """The tenant's quota at the doors, and the time within which each message is settled."""

    messages_per_second: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 20.0
    unsettled: Annotated[int, Field(ge=1)] = 2_000
    message_deadline_s: Annotated[int, Field(ge=1, le=600)] = 60


Phrase = Annotated[str, Field(min_length=2, max_length=200)]


class ChecklistItem(Contract):
    """Something that human agents have to say on a call, in any of these phrases: among the first `within_turns` of their turns, or anywhere."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    title: Localized
    phrases: Annotated[
        dict[Language, Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=100)]],
        Field(min_length=1),
    ]
    within_turns: Annotated[int, Field(ge=1, le=10_000)] | None = None


_SPOKEN_CHINESE = "zho chi cmn yue wuu nan hak gan hsn cdo cjy"
_OTHERS = """
eng en deu de ger de fra fr fre fr spa es ita it por pt nld nl dut nl rus ru jpn ja kor ko ara ar hin hi tur tr pol pl ces cs cze cs
swe sv dan da fin fi ukr uk vie vi tha th ind id msa ms may ms ell el gre el heb he ron ro rum ro
"""
_LONGER_CODES = {
    **dict.fromkeys(_SPOKEN_CHINESE.split(), "zh"),
    **dict(zip(_OTHERS.split()[::2], _OTHERS.split()[1::2], strict=True)),
}
"""ISO 639-3's and 639-2's codes of languages that have one of two letters; the spoken kinds of Chinese are one in writing."""


def primary_language(tag: str) -> str:
    """`zh` of `zh-Hans`, `zho`, `cmn-Hans-CN` and `yue-Hant-HK`: the first subtag, by its shortest code."""
    first = tag.replace("_", "-").partition("-")[0].lower()
    return _LONGER_CODES.get(first, first)


class Calls(Contract):
    """`checklist`: what is looked for in finished calls. None is the platform's own list, and an empty one is none."""

    checklist: Annotated[tuple[ChecklistItem, ...], Field(max_length=50)] | None = None


class TenantFile(Contract):
    """`tenant.yaml`."""

    id: Annotated[TenantId, Field(pattern=TENANT_PATTERN)]
    name: Localized
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    default_language: Language
    site_url: Annotated[str, Field(pattern=r"^(https?://[^\s]+|/[^\s]*|)$")] = ""
    channels: Channels = Channels()
    assistant: Assistant
    hours: BusinessHours
    model: ModelChoice = ModelChoice()
    prompts: Prompts
    few_shot: tuple[FewShot, ...] = ()
    thresholds: Thresholds = Thresholds()
    limits: Limits = Limits()
    privacy: Privacy = Privacy()
    calls: Calls = Calls()

    def spoken(self, language: str | None) -> str | None:
        """The tenant's language that fits best; None where it speaks none of the kind (it then uses its default)."""
        if language is None or language in self.languages:
            return language
        primary = primary_language(language)
        return next((each for each in self.languages if primary_language(each) == primary), None)

    @model_validator(mode="after")
    def _default_is_spoken(self) -> Self:
        if self.default_language not in self.languages:
            raise ValueError(f"default_language must be one of languages ({', '.join(self.languages)})")
        return self


class ArticleFront(Contract):
    """An article's front matter. `asked_as` are words that customers ask for it in and that its text does not have; never quoted."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    url: Annotated[str, Field(pattern=r"^(https?://[^\s]+|/[^\s]*)$")]
    language: Language
    valid_from: date
    valid_until: date | None = None
    asked_as: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=20)
    ] = ()

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not be before valid_from")
        return self


class Article(ArticleFront):
    """An article with its Markdown text."""

    text: Annotated[str, Field(min_length=1)]


class IntentRule(Contract):
    """What the decider knows of an intent."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    title: Localized
    route: Route
    reply: str | None = None
    risk: RiskKind | None = None

    @model_validator(mode="after")
    def _route_fits(self) -> Self:
        if self.route in ("ask", "canned") and self.reply is None:
            raise ValueError(f"reply is required where route is {self.route}")
        if self.route == "answer" and self.reply is not None:
            raise ValueError("reply is not allowed where route is answer")
        if self.risk is not None and self.route != "handoff":
            raise ValueError("risk is allowed only where route is handoff")
        return self


class IntentFile(IntentRule):
    """`intents/<id>.yaml`: the rule with its examples by language."""

    examples: Annotated[dict[Language, tuple[Annotated[str, Field(min_length=1)], ...]], Field(min_length=1)]


class TenantConfig(TenantFile):
    """What deciders and doors need of a version."""

    intents: dict[str, IntentRule]
    canned: dict[str, Localized]

    def text(self, canned_id: str, language: str) -> str:
        """The canned text in this language, else in the tenant's default one, else in any."""
        texts = self.canned[canned_id]
        found = texts.get(language) or texts.get(self.default_language)
        return found if found is not None else next(iter(texts.values()))

    def topic(self, intent: str | None, language: str) -> str:
        """The intent's title in this language; empty for an unknown intent."""
        rule = self.intents.get(intent) if intent is not None else None
        return rule.title.get(language, "") if rule is not None else ""


class TenantContent(Contract):
    """What the intent and RAG workers need of a version."""

    examples: dict[str, dict[Language, tuple[str, ...]]]
    articles: tuple[Article, ...]
