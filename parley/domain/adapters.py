"""What makes an adapter: which files, of what digest, and whether its weights fit a base model. Nothing here opens a file.

A folder holds LoRA weights as PEFT saves them: `adapter_config.json` and `adapter_model.safetensors`, and, where publication made them,
`probes.json` and a `README.md`. Whatever cannot be served is an `AdapterRefused` that names the file, what is wrong and what is allowed.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from parley.domain.adapter_config import AdapterConfig
from parley.domain.base_model import UNTOLD, BaseModel, BaseShapes, TrainedOn, same_model, same_revision
from parley.domain.tensor_header import Tensor, quoted
from parley.errors import AdapterRefused

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PROBES = "probes.json"
README = "README.md"

MIB = 1024 * 1024
MAX_BYTES: Mapping[str, int] = {CONFIG: MIB, WEIGHTS: 8 * 1024 * MIB, PROBES: 4 * MIB, README: MIB}
"""The files that an adapter's folder may hold, and how large each may be."""
NEEDED = (CONFIG, WEIGHTS)

DIGEST = re.compile(r"[0-9a-f]{64}")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
PREFIX = "base_model.model."
"""What PEFT puts before the path of a module of the base."""
HALVES = ("lora_A", "lora_B")


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """A checked folder. `files`: each with its size in bytes; `base_model` and `base_revision`: what it says of itself."""

    digest: str
    rank: int
    targets: tuple[str, ...]
    base_model: str
    base_revision: str
    files: Mapping[str, int]

    @property
    def bytes(self) -> int:
        return sum(self.files.values())


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over one line for each file, sorted by name: the name, a space, the SHA-256 of the content."""
    lines = "".join(f"{name} {files[name]}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_names(names: Iterable[str]) -> None:
    """Raises `AdapterRefused` for a file that no adapter has, or the lack of one that each has."""
    found = set(names)
    for name in sorted(found):
        check_name(name)
    for name in NEEDED:
        if name not in found:
            raise AdapterRefused(f"{name}: is missing; an adapter's folder holds {' and '.join(NEEDED)}")


def check_name(name: str) -> None:
    """Raises `AdapterRefused` for what is not just the name of one of an adapter's files."""
    allowed = f"allowed: {', '.join(MAX_BYTES)}"
    if "/" in name or "\\" in name or name in ("", ".", ".."):
        raise AdapterRefused(f"{quoted(name)}: is a path and no file's name; {allowed}")
    if name.lower().endswith(PICKLES):
        raise AdapterRefused(
            f"{quoted(name)}: weights in a pickle may run code when they are read; {allowed}"
        )
    if name not in MAX_BYTES:
        raise AdapterRefused(f"{quoted(name)}: does not belong to an adapter; {allowed}")


def check_digest(digest: str) -> None:
    if not DIGEST.fullmatch(digest):
        raise AdapterRefused(f"digest {quoted(digest)}: allowed: 64 hexadecimal digits (SHA-256)")


def check_weights(config: AdapterConfig, tensors: Mapping[str, Tensor], base: BaseShapes) -> None:
    """Raises `AdapterRefused` unless these are pairs A and B of the config's rank for its target modules, as the base is shaped."""
    _check_targets(config, base)
    targets = frozenset(config.targets)
    pairs: dict[str, set[str]] = {}
    for name, tensor in tensors.items():
        path, half = _place(name)
        _check_shape(name, tensor, half, config.rank, base.of(path), base)
        if not targets & _endings(path):
            raise AdapterRefused(
                f"{WEIGHTS}: {quoted(name)}: its module is none of target_modules in {CONFIG}"
            )
        pairs.setdefault(path, set()).add(half)
    _check_pairs(pairs)
    _check_complete(config, pairs.keys())


def check_base(facts: AdapterFacts, base: BaseModel, trained_on: TrainedOn | None = None) -> None:
    """Raises `AdapterRefused` for an adapter that says of itself that it was trained on another model, or another revision.

    `trained_on`: the model that it may name beside the base that it is served on. A revision that it names is that of the model it names.
    """
    _check_copies(base, trained_on)
    own = TrainedOn(base.name, base.revision)
    copies = [own] if trained_on is None else [own, trained_on]
    meant = [each for each in copies if same_model(facts.base_model, each.name)]
    if not meant:
        raise AdapterRefused(
            f"{CONFIG}: base_model_name_or_path: was trained on {quoted(facts.base_model)}; allowed: {' or '.join(each.name for each in copies)}"
        )
    told = facts.base_revision
    if told in UNTOLD or any(not each.revision or same_revision(told, each.revision) for each in meant):
        return
    served = "" if own in meant else f", to be served on {base}"
    raise AdapterRefused(
        f"{CONFIG}: revision: was trained on revision {quoted(told)} of {meant[0].name}; "
        f"allowed: {' or '.join(each.revision for each in meant)}{served}"
    )


def _check_copies(base: BaseModel, trained_on: TrainedOn | None) -> None:
    """Another copy has the same layers."""
    if trained_on is not None and trained_on.shapes not in (None, base.shapes):
        raise AdapterRefused(
            f"{trained_on}: has other layers than {base}, so what was trained on it cannot be served there; allowed: another copy of {base.name}"
        )


def _check_targets(config: AdapterConfig, base: BaseShapes) -> None:
    known = frozenset[str]().union(*(_endings(path) for path in base.paths()))
    for target in config.targets:
        if target not in known:
            raise AdapterRefused(
                f"{CONFIG}: target_modules: the base has no {quoted(target)}; allowed: {', '.join(base.names)}"
            )


def _place(name: str) -> tuple[str, str]:
    """The path of the module in the base, and which half of the pair it is."""
    path, _, rest = name.rpartition(".lora_")
    half = f"lora_{rest.removesuffix('.weight')}"
    if not path.startswith(PREFIX) or half not in HALVES or not rest.endswith(".weight"):
        raise AdapterRefused(
            f"{WEIGHTS}: {quoted(name)}: is no LoRA weight; allowed: {PREFIX}MODULE.lora_A.weight and …lora_B.weight"
        )
    return path.removeprefix(PREFIX), half


def _check_shape(
    name: str, tensor: Tensor, half: str, rank: int, features: tuple[int, int] | None, base: BaseShapes
) -> None:
    if features is None:
        raise AdapterRefused(
            f"{WEIGHTS}: {quoted(name)}: the base has no such module; it has {base.layers} layers with {', '.join(base.names)}"
        )
    into, out = features
    needed = (rank, into) if half == "lora_A" else (out, rank)
    if tensor.shape != needed:
        raise AdapterRefused(
            f"{WEIGHTS}: {quoted(name)}: has the shape {list(tensor.shape)}; rank {rank} on this base needs {list(needed)}"
        )


def _check_pairs(pairs: Mapping[str, Set[str]]) -> None:
    for path, halves in pairs.items():
        for half in HALVES:
            if half not in halves:
                raise AdapterRefused(
                    f"{WEIGHTS}: {path}: has no {half}; allowed: {' and '.join(HALVES)} in pairs"
                )


def _check_complete(config: AdapterConfig, paths: Set[str]) -> None:
    there = frozenset[str]().union(*(_endings(path) for path in paths))
    for target in config.targets:
        if target not in there:
            raise AdapterRefused(
                f"{WEIGHTS}: has no weights for {quoted(target)}, which is among target_modules in {CONFIG}"
            )


def _endings(path: str) -> frozenset[str]:
    """`a.b.c`, `b.c` and `c`: by any of these PEFT lets `target_modules` name a module."""
    parts = path.split(".")
    return frozenset(".".join(parts[at:]) for at in range(len(parts)))
