"""What a tenant says about personal data: its own numbers, and whether originals are kept in the vault. Part of `tenant.yaml`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Contract

Checksum = Literal["luhn", "mod97", "mod11_2"]

PATTERN_NAME = r"^[a-z]{2,16}(?:_[a-z]{1,16}){0,2}$"
MOST_PATTERNS = 12


class MaskPattern(Contract):
    """A kind of number of the tenant's own, such as its customers' or contracts'. Its name stands in the placeholder: `[contract_1]`.

    With `cues` it is one only behind one of these words. `regex` is of a checked part of regular expressions
    (`parley.domain.masking.shapes`), and is not checked here: what was stored once is not refused any more.
    """

    name: Annotated[str, Field(pattern=PATTERN_NAME)]
    regex: Annotated[str, Field(min_length=1, max_length=200)]
    checksum: Checksum | None = None
    cues: Annotated[tuple[Annotated[str, Field(min_length=2, max_length=40)], ...], Field(max_length=20)] = ()


class Privacy(Contract):
    """Without a vault nobody can ever see again what was masked. `vault_days` is how long an original is kept."""

    patterns: Annotated[tuple[MaskPattern, ...], Field(max_length=MOST_PATTERNS)] = ()
    vault: bool = False
    vault_days: Annotated[int, Field(ge=1, le=3650)] = 30

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [pattern.name for pattern in self.patterns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"patterns: {', '.join(twice)} is the name of more than one; give each its own")
        return self
