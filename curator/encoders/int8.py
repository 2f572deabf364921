"""Run the transformer blocks of a CLIP image tower in int8, for CPUs without bf16.

Weights are rounded once, per output channel; inputs at each run, per token, so that an outlier
costs no other token its precision. Everything else stays float32. How exact this is depends on the
weights: `torch_network` compares int8 with float32 before using it.
"""

from __future__ import annotations

import copy
import functools
import warnings
from typing import TYPE_CHECKING, Any

from curator.encoders.cpu_features import cpu_has

if TYPE_CHECKING:
    import torch
    from torch import nn

_ENGINE = "onednn"  # 1.1 x the speed of fbgemm, which uses VNNI only together with AVX-512
_TINY = 1e-12  # in place of the largest value of an empty row, which is divided by


def is_supported() -> bool:
    """Whether this torch can multiply int8 on this CPU faster than float32: x86 with AVX2."""
    import torch

    return (
        cpu_has("_is_avx2_supported")
        and _ENGINE in torch.backends.quantized.supported_engines
        and hasattr(torch.ops.quantized, "linear_dynamic")
    )


def quantized(model: nn.Module) -> nn.Module:
    """Return a copy of an open_clip model with int8 blocks in its image tower.

    The copy shares all other weights with the model, which stays as it is.

    Raises:
        ValueError: the tower has no blocks that this module knows (ResNet, towers of timm).
        Exception: torch cannot round or pack these weights.
    """
    from open_clip.transformer import ResidualAttentionBlock

    linear, attention = _layers()
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    copied: Any = copy.deepcopy(model, shared)
    blocks = [part for part in copied.visual.modules() if isinstance(part, ResidualAttentionBlock)]
    if not blocks or not blocks[0].attn.batch_first:
        raise ValueError("it has no blocks for which int8 is implemented")
    for block in blocks:
        block.attn = attention(block.attn)
        block.mlp.c_fc = linear(block.mlp.c_fc.weight, block.mlp.c_fc.bias)
        block.mlp.c_proj = linear(block.mlp.c_proj.weight, block.mlp.c_proj.bias)
    return copied


@functools.cache
def _layers() -> tuple[Any, Any]:
    """Return the int8 classes of a linear layer and of an attention; they need torch to exist."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Linear(nn.Module):
        """A linear layer (..., in) -> (..., out) with int8 weights."""

        def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
            super().__init__()
            self._bias = bias.detach()
            # Without VNNI sums of two products overflow 16 bits: the cosine fell to 0.979. 7 bits
            # for weights prevent that, and lose less than 7 bits for inputs with their outliers.
            levels = 127 if cpu_has("_is_vnni_supported") else 63
            scales = (weight.detach().abs().amax(1) / levels).clamp_min(_TINY)
            zeros = torch.zeros(len(weight), dtype=torch.long)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch advises a package that is not needed here
                rounded = torch.quantize_per_channel(
                    weight.detach(), scales.double(), zeros, 0, torch.qint8
                )
                torch.backends.quantized.engine = _ENGINE
                self._packed = torch.ops.quantized.linear_prepack(rounded, None)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            largest = inputs.abs().amax(-1, keepdim=True).clamp_min_(_TINY)
            scaled = torch.ops.quantized.linear_dynamic(inputs / largest, self._packed)
            return torch.addcmul(self._bias, scaled, largest)

    class SelfAttention(nn.Module):
        """What nn.MultiheadAttention computes in a block, with int8 weights."""

        def __init__(self, attention: nn.MultiheadAttention) -> None:
            super().__init__()
            self._heads = attention.num_heads
            self._in = Linear(attention.in_proj_weight, attention.in_proj_bias)
            self._out = Linear(attention.out_proj.weight, attention.out_proj.bias)

        def forward(
            self, inputs: torch.Tensor, *_key_and_value: torch.Tensor, **_options: object
        ) -> tuple[torch.Tensor, None]:
            stacked = self._in(inputs).unflatten(-1, (3, self._heads, -1))
            query_key_value = stacked.permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(*query_key_value)
            return self._out(attended.transpose(1, 2).flatten(2)), None

    return Linear, SelfAttention
