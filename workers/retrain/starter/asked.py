"""The tenants' own questions as the platform asks a language model about them: understood, looked up and put into a prompt by the platform's own parts.

`tenants/*/questions` are used in no training, so they say what the model is worth where it serves. Needs Parley whole.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from parley.backends import question_files
from parley.backends.hybrid import HybridRetriever
from parley.backends.memory_store import MemoryStore
from parley.backends.sqlite_index import SqliteIndex
from parley.backends.tenant_folder import TenantFolder, load
from parley.domain.prompting import Prompt, messages_of
from parley.ports.models import Completion
from parley.runtime.tenants import TenantConfigs
from parley.runtime.versions import VersionedContent
from parley.settings import Settings
from schemas.questions import Question, QuestionFile
from workers.asking import Pieces, Writes
from workers.inference.writing import Assignment, QuotingWriter
from workers.retrain.starter.asked_texts import AskedPrompt
from workers.retrain.starter.prompts import Message
from workers.retrain.starter.tenants import TENANTS
from workers.wiring import classifier, lookup, open_platform


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that reached the model; `declined_says` as in its file, `names` are the tenant's and its assistant's."""

    question: Question
    declined_says: str
    prompt: Prompt
    names: tuple[str, ...] = ()


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
    seen = _Recorder()
    names = (*found.config.name.values(), *found.config.assistant.name.values())
    with _pieces(found, file, seen) as pieces:
        pieces.prepare()
        for question in file.questions:
            seen.prompt = None
            pieces.ask(question.text)
            if seen.prompt is not None:
                yield AskedQuestion(question, file.declined_says, seen.prompt, names)


class _Recorder(QuotingWriter):
    """Writes nothing, and keeps what it was asked."""

    def __init__(self) -> None:
        self.prompt: Prompt | None = None

    async def write(
        self, work: Assignment, on_text: Callable[[str], None], on_tokens: Callable[[int], None]
    ) -> Completion | None:
        self.prompt = work.prompt
        return None


@contextmanager
def _pieces(found: TenantFolder, file: QuestionFile, writer: QuotingWriter) -> Iterator[Pieces]:
    """In an index and a home of their own."""
    store = MemoryStore()
    store.put(found.version, found.config, found.content, datetime.now(UTC))
    content = VersionedContent(store, TenantConfigs(store))
    with TemporaryDirectory() as folder:
        opened = open_platform(Settings(home=Path(folder)))
        searches, writes = HybridRetriever(SqliteIndex(Path(folder))), Writes(writer)
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
            writes.close()
            opened.close()
