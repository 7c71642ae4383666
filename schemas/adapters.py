"""What travels with a LoRA adapter's weights: `probes.json`, by which a serving engine shows that it decodes with this adapter."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Contract

TokenIds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=2_048)]
Logprobs = Annotated[
    tuple[Annotated[float, Field(le=0, allow_inf_nan=False)], ...], Field(min_length=1, max_length=64)
]


class Probe(Contract):
    """A prompt, the tokens that greedy decoding gives with this adapter, and their log-probabilities (natural logarithms).

    `base_logprobs` are those of the same tokens under the base model: the further away, the better the probe tells both apart.
    """

    prompt_token_ids: TokenIds
    token_ids: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=64)]
    logprobs: Logprobs
    base_logprobs: Logprobs
    #: By how much each token leads the next likely one, where that was noted.
    margins: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _one_a_token(self) -> Self:
        if not len(self.token_ids) == len(self.logprobs) == len(self.base_logprobs):
            raise ValueError("token_ids, logprobs and base_logprobs must have the same length")
        return self


class ProbeFile(Contract):
    """`probes.json`."""

    version: Literal[1] = 1
    probes: Annotated[tuple[Probe, ...], Field(min_length=1, max_length=32)]
