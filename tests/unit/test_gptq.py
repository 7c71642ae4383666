"""GPTQ on matrices: codes within their range, errors that later inputs make good, and files that give the same weights back."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("compressed_tensors", reason="compressed-tensors is not installed (extra `train`)")

from workers.retrain.quantize import files, gptq  # noqa: E402
from workers.retrain.quantize.calibration import windows  # noqa: E402
from workers.retrain.quantize.gptq import Grid, Hessian, Quantised, quantise, round_to_nearest  # noqa: E402
from workers.retrain.quantize.perplexity import perplexity  # noqa: E402

GRIDS = [Grid(4, 32), Grid(4, 128), Grid(4, None), Grid(8, None)]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(3)


def matrix(outputs: int = 96, inputs: int = 256) -> Any:
    return (torch.randn(outputs, inputs) * 0.02).bfloat16()


def activations(inputs: int = 256, tokens: int = 1024) -> Any:
    """Inputs that go together, as a model's do; some are much larger than others."""
    mixed = torch.randn(tokens, inputs) @ (torch.randn(inputs, inputs) * inputs**-0.5)
    return mixed * torch.logspace(-1, 1, inputs)


def hessian_of(x: Any) -> Any:
    found = Hessian(x.shape[1], "cpu")
    for part in x.split(100):
        found.add(part)
    return found.mean()


def error(weights: Any, found: Quantised, x: Any) -> float:
    exact = x @ weights.float().T
    return float((x @ found.weights.T - exact).square().mean() / exact.square().mean())


def test_the_hessian_is_the_mean_of_outer_products() -> None:
    x = activations(tokens=333)
    torch.testing.assert_close(hessian_of(x), x.T @ x / 333, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_codes_are_in_range_and_scales_fit_the_type(grid: Grid) -> None:
    weights = matrix()
    found = quantise(weights, hessian_of(activations()), grid)
    assert found.codes.dtype == torch.int8 and found.codes.shape == weights.shape
    assert found.codes.min() >= grid.lowest and found.codes.max() <= grid.highest
    assert found.scales.shape == (96, 256 // (grid.group or 256))
    assert torch.equal(found.scales, found.scales.bfloat16().float())


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_it_is_better_than_rounding(grid: Grid) -> None:
    """On the inputs that it was fitted to, and on others of their kind."""
    weights, (seen, unseen) = matrix(), activations(tokens=4096).chunk(2)
    fitted, rounded = quantise(weights, hessian_of(seen), grid), round_to_nearest(weights, grid)
    for x in (seen, unseen):
        assert error(weights, fitted, x) < 0.7 * error(weights, rounded, x)


def test_inputs_that_do_not_go_together_leave_nothing_to_make_good() -> None:
    weights, grid = matrix(), Grid(4, 32)
    assert torch.equal(quantise(weights, torch.eye(256), grid).codes, round_to_nearest(weights, grid).codes)


def test_stacked_matrices_are_quantised_as_each_alone() -> None:
    first, second, hessian = matrix(), matrix(64), hessian_of(activations())
    both = quantise(torch.cat([first, second]), hessian, Grid(4, 128))
    alone = quantise(second, hessian, Grid(4, 128))
    assert torch.equal(both.codes[96:], alone.codes) and torch.equal(both.scales[96:], alone.scales)


def test_scales_are_no_worse_than_the_one_that_clips_nothing() -> None:
    weights = matrix()
    weights[0, 0] = 0.5  # far from the others of its group
    found = gptq.scales_of(weights, Grid(4, 128), torch.bfloat16)
    widest = weights.float().unflatten(1, (-1, 128)).abs().amax(dim=2) / 7.5

    def lost(scales: Any) -> float:
        wide = scales.repeat_interleave(128, dim=1)
        rounded = (weights.float() / wide).round().clamp(-8, 7) * wide
        return float((rounded - weights.float()).square().sum())

    assert lost(found) < lost(widest.bfloat16().float())


def test_inputs_that_never_came_and_weights_of_zero() -> None:
    weights, x = matrix(), activations()
    x[:, 10:20] = 0
    weights[5] = 0
    found = quantise(weights, hessian_of(x), Grid(4, 32))
    assert torch.isfinite(found.weights).all() and not found.codes[5].any()
    nearest = round_to_nearest(weights, Grid(4, 32))
    assert torch.equal(found.codes[:, 10:20], nearest.codes[:, 10:20])
    nothing = quantise(weights, torch.zeros(256, 256), Grid(4, 32))
    assert torch.equal(nothing.codes, nearest.codes)


def test_fewer_tokens_than_inputs_still_have_an_inverse() -> None:
    weights, x = matrix(), activations(tokens=20)
    assert error(weights, quantise(weights, hessian_of(x), Grid(4, 128)), x) < 0.01


def test_activations_that_are_not_finite_are_refused() -> None:
    hessian = torch.eye(256)
    hessian[3, 3] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        quantise(matrix(), hessian, Grid(4, 128))


# --- the format ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "activated"), [*((grid, False) for grid in GRIDS), (Grid(8, None), True)], ids=str
)
def test_packed_weights_unpack_to_the_quantised_ones(grid: Grid, activated: bool) -> None:
    found = quantise(matrix(), hessian_of(activations()), grid)
    scheme = files.scheme_of(grid, activations=activated)
    entries = files.packed(found, scheme, torch.bfloat16)
    assert torch.equal(files.unpacked(entries, scheme), found.weights)
    held = sum(value.nbytes for name, value in entries.items() if name != "weight_shape")
    assert held == found.codes.numel() * grid.bits // 8 + 2 * found.scales.numel()


# --- calibration and perplexity --------------------------------------------------------------------------------------


def test_windows_are_spread_over_the_whole_set() -> None:
    rows = [("f:1", {"token_ids": list(range(50))}), ("f:2", {"token_ids": list(range(50, 105))})]
    found = windows(rows, None, samples=5, length=10, vocabulary=200)
    assert found.tolist() == [list(range(at, at + 10)) for at in (0, 20, 40, 60, 80)]
    assert len(windows(rows, None, samples=500, length=10, vocabulary=200)) == 10


class _Uniform:
    """Says of every place that half the vocabulary is equally likely, and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, input_ids: Any, use_cache: bool) -> Any:
        self.asked.append(input_ids.shape[1])
        logits = torch.zeros(1, input_ids.shape[1], 8)
        logits[..., 4:] = -torch.inf
        return type("Out", (), {"logits": logits})


@pytest.mark.parametrize("count", [2, 7, 8, 9, 31, 32, 33])
def test_perplexity_of_a_model_that_knows_half(count: int) -> None:
    model = _Uniform()
    assert perplexity(model, [at % 4 for at in range(count)], 8, "cpu") == pytest.approx(4.0)
    assert max(model.asked) <= 8


def test_each_token_is_predicted_once_with_half_a_window_before_it() -> None:
    """A model that knows only the token before: the count of mistakes shows which places were asked for."""

    class Successor:
        def __call__(self, input_ids: Any, use_cache: bool) -> Any:
            logits = torch.nn.functional.one_hot((input_ids + 1) % 16, 16).float() * 50
            return type("Out", (), {"logits": logits})

    ids = [at % 16 for at in range(100)]
    assert perplexity(Successor(), ids, 8, "cpu") == pytest.approx(1.0)
    ids[50] = (ids[50] + 3) % 16  # two predictions are wrong by 50 nats: of it, and of the one after it
    assert perplexity(Successor(), ids, 8, "cpu") == pytest.approx(2.718281828 ** (100 / 99), rel=1e-3)
