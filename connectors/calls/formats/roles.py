"""Turns that say of themselves who speaks: by a label, a role, a name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.calls.draft import Heard, Voice


@dataclass(frozen=True, slots=True)
class Said:
    """A turn with the role and the name that stand beside it, "" where there is none."""

    heard: Heard
    role: str = ""
    name: str = ""


def voices_of(
    said: Sequence[Said], known: Mapping[str, Voice] | None = None
) -> tuple[list[Heard], dict[str, Voice]]:
    """The turns, and what they say of each voice besides what is `known`.

    Where one label, as a channel that both sides share, has several roles, each role is a voice of its own.
    """
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for each in said:
        roles[each.heard.voice].update({each.role} - {""})
    heard: list[Heard] = []
    voices = dict(known or {})
    for each in said:
        label = each.heard.voice
        if len(roles[label]) > 1 and each.role:
            label = f"{label} {each.role}"
        heard.append(each.heard if label == each.heard.voice else replace(each.heard, voice=label))
        if label not in (known or {}) and (label not in voices or not voices[label].role):
            voices[label] = Voice(role=each.role, name=each.name or None)
    return heard, voices
