"""Our attention kernel computes what sdpa does, whatever a family passes to it, even where it is not the stock kernel."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from core.models.sites import _kernel, attention, calling

ROWS, HEADS, TOKENS, WIDTH = 2, 4, 6, 8
OFFSETS = (torch.arange(TOKENS)[:, None] - torch.arange(TOKENS)[None]).float()


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def module(groups: int = 1, causal: bool = False) -> Any:
    """Stands for an attention module: what a kernel reads of one."""

    class Attention(SimpleNamespace):
        pass

    return Attention(num_key_value_groups=groups, is_causal=causal, attention_dropout=0.1, wobble_name="attention")


padding = torch.ones(ROWS, 1, 1, TOKENS, dtype=torch.bool)
padding[0, ..., 4:] = False
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "scaled": {"scaling": 0.3},
    "boolean mask": {"attention_mask": padding},
    "added mask": {"attention_mask": torch.zeros(ROWS, 1, 1, TOKENS).masked_fill(~padding, -1e9)},
    "position bias": {"position_bias": -0.5 * OFFSETS.abs().expand(1, HEADS, TOKENS, TOKENS)},
    "position bias and mask": {
        "position_bias": -0.5 * OFFSETS.abs().expand(1, HEADS, TOKENS, TOKENS), "attention_mask": padding,
    },
    "causal": {"is_causal": True},
    "causal with position bias": {"is_causal": True, "position_bias": OFFSETS.expand(1, HEADS, TOKENS, TOKENS)},
}  # fmt: skip


@contextmanager
def eager() -> Iterator[None]:
    with attention("eager"):
        yield


@contextmanager
def recording() -> Iterator[None]:
    with calling(lambda name, kind, rate, x: x, "base"):
        yield


@pytest.mark.parametrize("way", [eager, recording], ids=["eager", "asked for dropout"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", OPTIONS)
def test_our_own_products_are_those_of_sdpa(name: str, groups: int, way: Any) -> None:
    options = {"attention_mask": None, "scaling": WIDTH**-0.5} | OPTIONS[name]
    query, key = drawn(ROWS, HEADS, TOKENS, WIDTH), drawn(ROWS, HEADS // groups, TOKENS, WIDTH)
    value = drawn(ROWS, HEADS // groups, TOKENS, WIDTH) + 1
    attending = module(groups)
    with torch.inference_mode():
        theirs, _ = sdpa_attention_forward(attending, query, key, value, **options)
        with way():
            ours, _ = _kernel(attending, query, key, value, **options)
        plain, _ = sdpa_attention_forward(attending, query, key, value, attention_mask=None)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    assert name == "plain" or not torch.allclose(theirs, plain, atol=1e-4), "an option that does nothing proves nothing"


def test_without_a_call_it_is_the_stock_kernel_bit_for_bit() -> None:
    query, bias = drawn(ROWS, HEADS, TOKENS, WIDTH), -OFFSETS.abs().expand(1, HEADS, TOKENS, TOKENS)
    arguments: Any = (module(), query, query, query, None)
    theirs, _ = sdpa_attention_forward(*arguments, position_bias=bias)
    assert torch.equal(_kernel(*arguments, position_bias=bias)[0], theirs)


def test_where_a_module_says_nothing_of_causality_its_own_attribute_counts() -> None:
    query = drawn(ROWS, HEADS, TOKENS, WIDTH)
    for causal in (False, True):
        arguments: Any = (module(causal=causal), query, query, query, None)
        with eager():
            ours, _ = _kernel(*arguments)
        torch.testing.assert_close(ours, sdpa_attention_forward(*arguments)[0], atol=1e-6, rtol=1e-5)
