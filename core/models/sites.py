"""Where dropout acts in a model, and how one call switches it on while all others run as usual.

Nothing on a shared model may change, so dropout is a property of the call: a context variable holds what the current
call wants, and everything that could drop something asks it. Three kinds of places ask:

- `torch.nn.functional.dropout`, which `torch.nn.Dropout` modules call and some models call themselves (BART): a
  `TorchFunctionMode`, active in the calling thread only; hooks on the modules, installed when the model is loaded, say which one;
- attention probabilities, which most families drop inside the kernel (`dropout_p` of scaled_dot_product_attention):
  a kernel of our own, registered with transformers, is the stock one unless the call wants dropout.

Every pass has a generator of its own, so its masks do not depend on which other passes share its batch.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from core.models.site import Kind

KERNEL = "wobble_sdpa"
FUNCTION_CALLS = "function calls"
"""The name of the sites that are not modules: the model calls the function itself."""

ROW_DIMENSION = {"xlnet": 1}
"""Families whose three-dimensional states are not `[rows, tokens, width]`: XLNet's are `[tokens, rows, width]`."""


Call = Callable[[str, Kind, float, Tensor], Tensor]
"""What the current call makes of a tensor, given a site's name, its kind and its own rate."""

_current: ContextVar[Call | None] = ContextVar("dropout", default=None)
_announced: ContextVar[str | None] = ContextVar("announced", default=None)
"""The `torch.nn.Dropout` module that is about to run; None where a model calls the function itself."""
_eager: ContextVar[bool] = ContextVar("eager", default=False)


def install(model: PreTrainedModel) -> None:
    """Prepare a freshly loaded model, once, before it is shared: hooks on its dropout modules, and our kernel."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            module.register_forward_pre_hook(partial(_announce, name))
        elif attention_holder(module) is not None:
            # The kernel is given the module alone; it needs the module's path to say where it acts.
            module.wobble_name = name
    if model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(KERNEL)


def _announce(name: str, *_: Any) -> None:
    if _current.get() is not None:
        _announced.set(name)


def kind_of(name: str, base: str, x: Tensor) -> Kind:
    """The kind of a dropout module: from its path, the prefix of the base model, and the tensor that it is given."""
    if "pooler" in name:
        return "pooler"
    if not name.startswith(f"{base}."):
        return "head"
    if x.dim() == 4:
        return "attention"
    inner = name.removeprefix(f"{base}.")
    return "embeddings" if "embed" in inner or "." not in inner else "hidden"


def attention_holder(module: nn.Module) -> str | None:
    """The attribute in which an attention module keeps the rate for the kernel; None for other modules."""
    if "Attention" not in type(module).__name__:
        return None
    for name in ("attention_dropout", "attn_dropout", "dropout"):
        found = getattr(module, name, None)
        if isinstance(found, nn.Dropout):
            return f"{name}.p"
        if isinstance(found, float | int):
            return name
    return None


def _kernel(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """sdpa, bit for bit, unless the current call drops attention probabilities or wants plain matrix products."""
    call, holder = _current.get(), attention_holder(module)
    if (call is None or holder is None) and not _eager.get():
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    scores = query @ key.transpose(-1, -2) * (options.get("scaling") or query.shape[-1] ** -0.5)
    if options.get("position_bias") is not None:
        scores = scores + options["position_bias"]
    causal = options.get("is_causal")
    if attention_mask is not None:
        scores = (
            scores.masked_fill(~attention_mask, float("-inf"))
            if attention_mask.dtype == torch.bool
            else scores + attention_mask
        )
    elif (getattr(module, "is_causal", True) if causal is None else causal) and query.shape[2] > 1:
        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), float("-inf"))
    kept = scores.softmax(-1)
    if call is not None and holder is not None:
        kept = call(str(module.wobble_name), "attention", float(attrgetter(holder)(module)), kept)
    return (kept @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(KERNEL, _kernel)
AttentionMaskInterface.register(KERNEL, sdpa_mask)


def has_kernels(model: PreTrainedModel) -> bool:
    """Whether a call can choose the attention kernel; families without transformers' interface have their one way."""
    return bool(model.config._attn_implementation == KERNEL)


@contextmanager
def attention(kernel: Literal["own", "eager"]) -> Iterator[None]:
    """Forward passes of this thread compute attention with this kernel; needs `has_kernels` for "eager"."""
    token = _eager.set(kernel == "eager")
    try:
        yield
    finally:
        _eager.reset(token)


class _Everywhere(TorchFunctionMode):
    """Sends every `torch.nn.functional.dropout`, also that of the modules, to the current call; in this thread only."""

    def __init__(self, call: Call, base: str) -> None:
        self.call, self.base = call, base

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not nn.functional.dropout:
            return func(*args, **kwargs)
        name = _announced.get()
        _announced.set(None)
        x = args[0] if args else kwargs["input"]
        rate = float(args[1] if len(args) > 1 else kwargs.get("p", 0.5))
        if name is None:
            return self.call(FUNCTION_CALLS, "hidden", rate, x)
        return self.call(name, kind_of(name, self.base, x), rate, x)


@contextmanager
def calling(call: Call, base: str) -> Iterator[None]:
    """Forward passes of this thread ask `call` at every site; `base` is the model's `base_model_prefix`."""
    token, announced = _current.set(call), _announced.set(None)
    try:
        with _Everywhere(call, base):
            yield
    finally:
        _announced.reset(announced)
        _current.reset(token)


def row_dimension(x: Tensor, family: str) -> int:
    """Which dimension of a tensor counts the rows: the family's in three dimensions, else the first."""
    return ROW_DIMENSION.get(family, 0) if x.dim() == 3 else 0


def masks(generators: Sequence[torch.Generator], rate_at: Callable[[str, Kind, float], float], family: str) -> Call:
    """A call that drops, each row with masks from a generator of its own: `[len(generators)]` rows in a batch.

    Zero with probability `rate_at(name, kind, own rate)`, and what stays divided by 1 minus that, as `torch.nn.Dropout` does.
    """

    def drop(name: str, kind: Kind, rate: float, x: Tensor) -> Tensor:
        keep = 1 - rate_at(name, kind, rate)
        if keep == 1:
            return x
        mask = torch.empty_like(x)
        rows = [mask] if len(generators) == 1 else mask.unbind(row_dimension(x, family))
        for row, generator in zip(rows, generators, strict=True):
            row.bernoulli_(keep, generator=generator)
        return x * mask.div_(keep)

    return drop
