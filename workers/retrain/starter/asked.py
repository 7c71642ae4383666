"""The tenants' own questions as the platform asks a language model about them: understood, looked up and put into a prompt by the platform's own parts.

`tenants/*/questions` are used in no training, so they say what the model is worth where it serves. Needs Parley whole.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from parley.backends import question_files
from parley.backends.hybrid import HybridRetriever
from parley.backends.memory_store import MemoryStore
from parley.backends.sqlite_index import SqliteIndex
from parley.backends.tenant_folder import TenantFolder, load
from parley.domain.guard import Guard
from parley.domain.prompting import Prompt, messages_of
from parley.ports.models import Completion
from parley.runtime.tenants import TenantConfigs
from parley.runtime.versions import VersionedContent
from parley.settings import Settings
from schemas.base import Event
from schemas.questions import Question, QuestionFile
from schemas.tenant import TenantConfig
from schemas.work import GenerationRequested
from workers.asking import Pieces, Writes
from workers.inference import results
from workers.inference.writing import QuotingWriter
from workers.retrain.starter.asked_texts import AskedPrompt
from workers.retrain.starter.prompts import Message
from workers.retrain.starter.tenants import TENANTS
from workers.wiring import classifier, lookup, open_platform


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that reached the model; `declined_says` as in its file, `guard` is the platform's for what is written to it."""

    question: Question
    declined_says: str
    prompt: Prompt
    guard: Guard


def asked_questions(folder: Path) -> Iterator[AskedQuestion]:
    """Those of each tenant and language below `folder`; what is handed over, met with a fixed text or found nothing for is left out.

    Raises `TenantInvalid`.
    """
    for tenant in TENANTS:
        found = load(folder / tenant)
        for file in question_files.load(folder / tenant, found.content.articles, found.config.languages):
            yield from _prompts(found, file)


def prompt_of(asked: AskedQuestion) -> AskedPrompt:
    messages = tuple(Message(each.role, each.content) for each in messages_of(asked.prompt))
    return AskedPrompt(asked.prompt.tenant, asked.prompt.language, asked.question.text, messages)


def save(found: Iterable[AskedQuestion], file: Path) -> int:
    """As `asked_texts.load` reads them. Returns how many there are."""
    lines = [json.dumps(asdict(prompt_of(each)), ensure_ascii=False) for each in found]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return len(lines)


def _prompts(found: TenantFolder, file: QuestionFile) -> Iterator[AskedQuestion]:
    with closing(_Recorder()) as seen, _pieces(found, file, seen) as pieces:
        pieces.prepare()
        for question in file.questions:
            seen.event = None
            pieces.ask(question.text)
            if seen.event is not None:
                prompt = results.prompt_of(seen.event, found.config)
                guard = results.guard_of(seen.event, found.config)
                yield AskedQuestion(question, file.declined_says, prompt, guard)


class _Recorder(Writes):
    """Writes nothing, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(QuotingWriter())
        self.event: Event[GenerationRequested] | None = None

    def write(self, event: Event[GenerationRequested], config: TenantConfig) -> Completion | None:
        self.event = event
        return None


@contextmanager
def _pieces(found: TenantFolder, file: QuestionFile, writes: Writes) -> Iterator[Pieces]:
    """In an index and a home of their own."""
    store = MemoryStore()
    store.put(found.version, found.config, found.content, datetime.now(UTC))
    content = VersionedContent(store, TenantConfigs(store))
    with TemporaryDirectory() as folder:
        opened = open_platform(Settings(home=Path(folder)))
        searches = HybridRetriever(SqliteIndex(Path(folder)))
        try:
            yield Pieces(
                classifier(opened),
                lookup(searches),
                writes,
                content,
                found.config.id,
                found.version,
                file.asked_on,
            )
        finally:
            searches.close()
            opened.close()
