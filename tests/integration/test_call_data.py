"""Importers on public transcripts below `PARLEY_DATA`; a set that is not there is skipped."""

import csv
import gzip
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.calls.formats import read
from connectors.calls.transcript import Transcript, TranscriptRefused

DATA = Path(os.environ.get("PARLEY_DATA", "../shared/data"))

#: Why the working group's examples that hold no text are refused.
REFUSED = {
    "ab.vcon": "dialog is empty",
    "ab_call_ext_rec.vcon": "a url, which is never fetched",
    "ab_call_ext_rec_decrypted.vcon": "a url, which is never fetched",
    "ab_call_ext_rec_decrypted_verified.vcon": "a url, which is never fetched",
    "ab_call_ext_rec_encrypted.vcon": "encrypted (JWE)",
    "ab_call_ext_rec_signed.vcon": "a url, which is never fetched",
    "ab_call_int_rec.vcon": "an inline recording",
    "simple-vcon.vcon": "no known form",
}


def below(*parts: str) -> Path:
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not below PARLEY_DATA")
    return path


def rows(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    yield from (json.loads(line) for line in text.splitlines())


def one(data: bytes) -> Transcript:
    (call,) = read(data)
    assert [turn.start_ms for turn in call.turns] == sorted(turn.start_ms for turn in call.turns)
    return call


def test_the_working_groups_examples() -> None:
    files = sorted(below("vcon", "ietf_examples").glob("*.vcon"))
    assert len(files) == 17
    for file in files:
        if file.name in REFUSED:
            with pytest.raises(TranscriptRefused) as refused:
                read(file.read_bytes(), name=file.name)
            assert REFUSED[file.name] in str(refused.value), file.name
        else:
            assert one(file.read_bytes()).spoken, file.name


def test_the_working_groups_details() -> None:
    folder = below("vcon", "ietf_examples")
    redacted = one((folder / "ab_call_ext_rec_redacted.vcon").read_bytes())
    assert redacted.redacted and any("{{URL}}" in turn.text for turn in redacted.turns)
    assert not one((folder / "ab_call_ext_rec_analysis.vcon").read_bytes()).redacted
    thread = one((folder / "ab_email_prob_followup_text_thread.vcon").read_bytes())
    assert [turn.party for turn in thread.turns] == [0, 1, 0]
    picture = one((folder / "b_email_acct_prob_image.vcon").read_bytes())
    assert picture.turns[0].original == "Alice:Please find the image attached.\n\nRegards,Bob"


def test_a_signature_that_others_made() -> None:
    """The signed example holds a recording alone: it is refused for that, so its signature held; changed, it is refused before."""
    document = json.loads((below("vcon", "ietf_examples") / "ab_call_ext_rec_signed.vcon").read_text())
    with pytest.raises(TranscriptRefused, match="a url, which is never fetched"):
        read(json.dumps(document).encode())
    signature = document["signatures"][0]["signature"]
    document["signatures"][0]["signature"] = ("A" if signature[0] != "A" else "B") + signature[1:]
    with pytest.raises(TranscriptRefused, match=r"signatures\[0\] does not hold"):
        read(json.dumps(document).encode())


def test_vcons_of_a_vcon_server() -> None:
    files = sorted(below("vcon", "vcon_dev_samples").glob("*.json"))
    assert len(files) == 42
    for file in files:
        document, call = json.loads(file.read_text()), one(file.read_bytes())
        body = document["analysis"][0]["body"]
        assert call.call_id == document["uuid"]
        assert [turn.original for turn in call.turns] == [each["message"].strip() for each in body]
        sides = {"Agent": "human_agent", "Customer": "customer"}
        assert [turn.speaker for turn in call.turns] == [sides[each["speaker"]] for each in body]
        names = {party.speaker: party.name for party in call.parties}
        made = document["attachments"][0]["body"]
        assert names == {"human_agent": made["agent_name"], "customer": made["customer_name"]}


def test_harper_valley_as_turns() -> None:
    """Overlapping channels, marks of noise, and the machine's own words beside a human's."""
    for file in sorted(below("harpervalley_sample", "transcript").glob("*.json")):
        segments = json.loads(file.read_text())
        call = one(
            json.dumps({"call_id": file.stem, "segments": [as_turn(each) for each in segments]}).encode()
        )
        assert call.call_id == file.stem and call.timed
        assert len(call.turns) == sum(bool(each["human_transcript"].strip()) for each in segments)
        sides = {party.label: party.speaker for party in call.parties}
        assert sides == {"agent": "human_agent", "caller": "customer"}
        assert not any(
            mark in turn.text for turn in call.turns for mark in ("[noise]", "<unk>", "[laughter]")
        )


def as_turn(segment: dict[str, Any]) -> dict[str, Any]:
    kept = ("speaker_role", "start_ms", "duration_ms")
    return {"text": segment["human_transcript"], **{key: segment[key] for key in kept}}


def test_spoken_dialogues_as_labelled_lines() -> None:
    sides = {"user": "customer", "agent": "human_agent"}
    for name in ("queries.jsonl", "no_knowledge_turns.jsonl"):
        for row in rows(below("retrieval_dstc10_spoken", name)):
            turns = [*row["history"], {"role": "user", "text": row["text"]}]
            call = one("\n".join(f"{turn['role']}: {turn['text']}" for turn in turns).encode())
            assert [(turn.speaker, turn.original) for turn in call.turns] == [
                (sides[turn["role"]], turn["text"].strip()) for turn in turns if turn["text"].strip()
            ]


def test_spelled_names_and_postcodes_as_a_table() -> None:
    """Callers alone, who spell: no digit and no spelled letter is lost."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["call_id", "speaker", "text"])
    said = {
        row["id"]: [turn["asr"] for turn in row["turns"]]
        for row in rows(below("evi_spoken_en", "dialogues.jsonl.gz"))
    }
    writer.writerows([call, "caller", text] for call, texts in said.items() for text in texts)
    calls = {call.call_id: call for call in read(file.getvalue().encode())}
    spoken = {call: [text for text in texts if text.strip()] for call, texts in said.items()}
    assert set(calls) == {call for call, texts in spoken.items() if texts}
    for call, texts in spoken.items():
        turns = calls[call].turns if texts else ()
        assert [turn.original for turn in turns] == [text.strip() for text in texts]
        for turn in turns:
            assert turn.speaker == "customer"
            assert spelled(turn.text) == spelled(turn.original)


def spelled(text: str) -> list[str]:
    """Digits and single letters in their order, without I, which is more often a word."""
    words = [word for word in text.lower().split() if word != "i"]
    return [word for word in words if len(word) == 1 or any(letter.isdigit() for letter in word)]
