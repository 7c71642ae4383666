"""GPTQ (Frantar et al., arXiv 2210.17323): weights to few bits, one input after the other, each error made good by the inputs that follow.

What is minimised is ||W X - Q X||^2 over the inputs X of a calibration set, of which the Hessian X X^T is all that is needed. Inputs with the
largest diagonal entries go first (the paper's implementation calls it act-order); scales are fixed before, from the weights as they were, so
that the result is stored like any other and needs no order at run time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

DAMPING = 0.01
"""Added to the Hessian's diagonal, as a part of its mean: the paper's 1 %."""

BLOCK = 128
"""Inputs whose errors are gathered before the rest of the matrix hears of them: the paper's size."""

SHRUNK = tuple(1 - 0.05 * step for step in range(9))
"""Scales tried for each group, as parts of the one that clips nothing: the best by squared error is taken."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Whole numbers from -2^(bits-1) to 2^(bits-1) - 1, times one scale for each group of inputs (None: for the whole row)."""

    bits: int
    group: int | None

    @property
    def lowest(self) -> int:
        return -(1 << (self.bits - 1))

    @property
    def highest(self) -> int:
        return (1 << (self.bits - 1)) - 1


@dataclass(frozen=True, slots=True)
class Quantised:
    """`codes`: int8 (outputs, inputs). `scales`: float32 (outputs, groups), each a number that the model's own type can hold."""

    codes: Any
    scales: Any

    @property
    def weights(self) -> Any:
        """float32 (outputs, inputs)."""
        width = self.codes.shape[1] // self.scales.shape[1]
        return self.codes.float() * self.scales.repeat_interleave(width, dim=1)


class Hessian:
    """X X^T, as a mean over all tokens that were added. float32 (inputs, inputs)."""

    def __init__(self, inputs: int, device: str) -> None:
        self._sum = torch.zeros(inputs, inputs, device=device)
        self._tokens = 0

    def add(self, x: Any) -> None:
        """(…, inputs), as they go into the matrix."""
        rows = x.reshape(-1, x.shape[-1]).float()
        with _tensor_cores(exact=x.dtype in (torch.bfloat16, torch.float16)):
            self._sum.addmm_(rows.T, rows)
        self._tokens += len(rows)

    def mean(self) -> Any:
        return self._sum / max(1, self._tokens)


@contextmanager
def _tensor_cores(*, exact: bool) -> Iterator[None]:
    """TF32 keeps 10 bits of a factor and adds in float32: nothing is lost of numbers that have no more (bfloat16 has 7, float16 10)."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if exact else before)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def scales_of(weights: Any, grid: Grid, kind: Any) -> Any:
    """float32 (outputs, groups): for each group, of `SHRUNK`, the scale with the least squared error, rounded to what `kind` can hold."""
    groups = weights.float().unflatten(1, (-1, grid.group or weights.shape[1]))
    widest = groups.abs().amax(dim=2, keepdim=True) / (grid.highest + 0.5)
    best, least = torch.ones_like(widest), torch.full_like(widest, torch.inf)
    for part in SHRUNK:
        scale = (widest * part).to(kind).float()
        # a group of zeros; or so small that the type cannot hold the scale
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        rounded = (groups / scale).round_().clamp_(grid.lowest, grid.highest).mul_(scale)
        error = rounded.sub_(groups).square_().sum(dim=2, keepdim=True)
        better = error < least
        best, least = torch.where(better, scale, best), torch.where(better, error, least)
    return best.squeeze(2)


def round_to_nearest(weights: Any, grid: Grid) -> Quantised:
    """Without calibration: each weight by itself."""
    scales = scales_of(weights, grid, weights.dtype)
    wide = scales.repeat_interleave(weights.shape[1] // scales.shape[1], dim=1)
    codes = (weights.float() / wide).round().clamp(grid.lowest, grid.highest)
    return Quantised(codes.to(torch.int8), scales)


def quantise(weights: Any, hessian: Any, grid: Grid) -> Quantised:
    """(outputs, inputs) by this Hessian (inputs, inputs). Rows do not touch each other: matrices with the same inputs can be stacked.

    Raises ValueError for a Hessian that is not finite.
    """
    scales = scales_of(weights, grid, weights.dtype)
    order = torch.argsort(hessian.diagonal(), descending=True)
    upper = _inverse_factor(hessian[order][:, order])
    wide = scales.repeat_interleave(weights.shape[1] // scales.shape[1], dim=1)
    sorted_codes = _descend(weights.float()[:, order], wide[:, order], upper, grid)
    codes = torch.empty_like(sorted_codes)
    codes[:, order] = sorted_codes
    return Quantised(codes, scales)


def _inverse_factor(hessian: Any) -> Any:
    """The upper Cholesky factor of the damped inverse. Damping grows tenfold while rounding makes the matrix indefinite."""
    mean = hessian.diagonal().mean()
    if not torch.isfinite(mean):
        raise ValueError("the calibration's activations are not finite")
    if mean == 0:  # nothing ever came in
        return torch.eye(len(hessian), device=hessian.device)
    damping = DAMPING
    while True:
        damped = hessian + damping * mean * torch.eye(len(hessian), device=hessian.device)
        factor, failed = torch.linalg.cholesky_ex(damped)
        if not failed:
            upper, failed = torch.linalg.cholesky_ex(torch.cholesky_inverse(factor), upper=True)
            if not failed:
                return upper
        damping *= 10


def _descend(weights: Any, wide: Any, upper: Any, grid: Grid) -> Any:
    """The paper's algorithm 1: int8 codes (outputs, inputs). Works on copies that have the inputs first, so that each is contiguous.

    The factor's rows are divided by its diagonal, so that errors need not be. The loop is bound by how many kernels it starts.
    """
    rest, steps = weights.T.contiguous(), wide.T.contiguous()
    codes = torch.empty_like(rest, dtype=torch.int8)
    spread = upper / upper.diagonal()[:, None]
    for start in range(0, len(rest), BLOCK):
        end = min(start + BLOCK, len(rest))
        block, corner = rest[start:end], spread[start:end, start:end]
        errors = torch.empty_like(block)
        rows = zip(
            block.unbind(), steps[start:end].unbind(), codes[start:end].unbind(), errors.unbind(), strict=True
        )
        for at, (row, step, code, error) in enumerate(rows, start=1):
            rounded = torch.div(row, step).round_().clamp_(grid.lowest, grid.highest)
            code.copy_(rounded)
            torch.addcmul(row, rounded, step, value=-1, out=error)
            block[at:].addr_(corner[at - 1, at:], error, alpha=-1)
        rest[end:].addmm_(spread[start:end, end:].T, errors, alpha=-1)
    return codes.T.contiguous()
