"""Layer by layer through a model: what comes into each matrix of a layer, the matrices quantised, and what the quantised layer hands on.

Only one layer is on the device at a time, beside the activations of the calibration set.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from parley.errors import ConfigurationError
from workers.retrain.quantize.gptq import Grid, Hessian, Quantised, quantise, round_to_nearest

TOKENS_AT_ONCE = 8192
"""Of the calibration set, in one forward pass of a layer."""


class _Watched(nn.Module):
    """Stands in a layer's place: notes what the model hands to it, and passes the hidden states on as they are."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        self.given: dict[str, Any] = {}
        self.hidden: Any = None

    def forward(self, hidden_states: Any, *args: Any, **given: Any) -> Any:
        if args:
            raise ConfigurationError(
                f"{type(self.layer).__name__}: its model calls it in a way not known here"
            )
        self.hidden, self.given = hidden_states, given
        return hidden_states

    def __getattr__(self, name: str) -> Any:
        """Models ask their layers what kind they are."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("layer"), name)


def quantised_layers(
    model: Any, calibration: Any, grid: Grid, device: str
) -> Iterator[tuple[str, Quantised]]:
    """Each linear layer's name in the model with its codes and scales, on the CPU. The model is changed: its weights become the quantised
    ones. `calibration`: token ids (samples, length), or None for rounding each weight to the nearest.
    """
    decoder, name = _decoder(model)
    states: list[Any] = []
    given: list[dict[str, Any]] = [{} for _ in decoder.layers]
    if calibration is not None:
        states, given = _entrance(decoder, calibration, device)
    for at, layer in enumerate(decoder.layers):
        layer.to(device)
        found = _quantise_layer(layer, states, given[at], grid, device)
        states = [_pass(layer, state, given[at]) for state in states]
        layer.to("cpu")
        for inner, result in found.items():
            yield f"{name}.layers.{at}.{inner}", result


def linear_layers(model: Any) -> dict[str, Any]:
    """The matrices that are quantised, by name: every linear map within the layers. Raises `ConfigurationError`."""
    decoder, name = _decoder(model)
    return {
        f"{name}.layers.{at}.{inner}": module
        for at, layer in enumerate(decoder.layers)
        for inner, module in _linear(layer).items()
    }


def _decoder(model: Any) -> tuple[Any, str]:
    """The part with `layers`, and its name in the model."""
    for name, module in model.named_modules():
        if name and isinstance(getattr(module, "layers", None), nn.ModuleList):
            return module, name
    raise ConfigurationError(
        f"{type(model).__name__}: has no list of layers that could be quantised one by one"
    )


def _linear(layer: Any) -> dict[str, Any]:
    return {name: module for name, module in layer.named_modules() if isinstance(module, nn.Linear)}


@torch.no_grad()
def _entrance(decoder: Any, calibration: Any, device: str) -> tuple[list[Any], list[dict[str, Any]]]:
    """The hidden states that go into the first layer, in batches, and what each layer is given beside them for one sample (positions and
    masks, which are alike for all).
    """
    originals = list(decoder.layers)
    watched = [_Watched(layer) for layer in originals]
    decoder.layers = nn.ModuleList(watched)
    states = []
    try:
        for batch in calibration.split(max(1, TOKENS_AT_ONCE // calibration.shape[1])):
            decoder(input_ids=batch, use_cache=False)
            states.append(watched[0].hidden.to(device))
        decoder(input_ids=calibration[:1], use_cache=False)
    finally:
        decoder.layers = nn.ModuleList(originals)
    return states, [_on(device, each.given) for each in watched]


def _on(device: str, value: Any) -> Any:
    """Tensors within tuples, lists and dictionaries, moved; everything else as it is."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {name: _on(device, each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_on(device, each) for each in value)
    return value


@torch.no_grad()
def _pass(layer: Any, state: Any, given: dict[str, Any]) -> Any:
    out = layer(state, **given)
    return out[0] if isinstance(out, tuple) else out


@torch.no_grad()
def _quantise_layer(
    layer: Any, states: list[Any], given: dict[str, Any], grid: Grid, device: str
) -> dict[str, Quantised]:
    modules = _linear(layer)
    if not states:
        found = {name: round_to_nearest(module.weight, grid) for name, module in modules.items()}
    else:
        together = _same_inputs(layer, modules, states[0][:1], given)
        hessians = _hessians(layer, [modules[names[0]] for names in together], states, given, device)
        found = {}
        for names, hessian in zip(together, hessians, strict=True):
            found |= _quantise_together({name: modules[name].weight for name in names}, hessian, grid)
    for name, result in found.items():
        modules[name].weight.data = result.weights.to(modules[name].weight.dtype)
    return {name: Quantised(each.codes.cpu(), each.scales.cpu()) for name, each in found.items()}


def _quantise_together(weights: dict[str, Any], hessian: Any, grid: Grid) -> dict[str, Quantised]:
    """Matrices that read the same inputs have the same Hessian; stacked they take as many steps as one."""
    stacked = quantise(torch.cat(list(weights.values())), hessian, grid)
    sizes = [len(each) for each in weights.values()]
    parts = zip(stacked.codes.split(sizes), stacked.scales.split(sizes), strict=True)
    return {name: Quantised(*part) for name, part in zip(weights, parts, strict=True)}


def _same_inputs(layer: Any, modules: dict[str, Any], state: Any, given: dict[str, Any]) -> list[list[str]]:
    """The names of matrices by the tensor that they are given, in one pass. Raises `ConfigurationError` for one that is given none."""
    seen: dict[str, Any] = {}  # keeps the tensors, so that no two can have the same identity
    with ExitStack() as hooks:
        for name, module in modules.items():
            handle = module.register_forward_pre_hook(
                lambda _, inputs, name=name: seen.__setitem__(name, inputs[0])
            )
            hooks.callback(handle.remove)
        _pass(layer, state, given)
    if missing := sorted(modules.keys() - seen.keys()):
        raise ConfigurationError(f"{', '.join(missing)}: no calibration token went through it")
    together: dict[int, list[str]] = {}
    for name, tensor in seen.items():
        together.setdefault(id(tensor), []).append(name)
    return list(together.values())


def _hessians(
    layer: Any, modules: list[Any], states: list[Any], given: dict[str, Any], device: str
) -> list[Any]:
    sums = [Hessian(module.in_features, device) for module in modules]
    with ExitStack() as hooks:
        for module, total in zip(modules, sums, strict=True):
            handle = module.register_forward_pre_hook(lambda _, inputs, total=total: total.add(inputs[0]))
            hooks.callback(handle.remove)
        for state in states:
            _pass(layer, state, given)
    return [total.mean() for total in sums]
