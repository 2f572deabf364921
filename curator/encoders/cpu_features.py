"""Which fast instructions this CPU has, as far as the installed torch can tell."""

from __future__ import annotations

from typing import Literal


def cpu_has(probe: str) -> bool:
    """Whether this function of ``torch.cpu`` is true; false in a torch that lacks it."""
    import torch

    return bool(getattr(torch.cpu, probe, bool)())


def cpu_bf16() -> Literal["", "avx512", "amx"]:
    """Return the fastest bf16 instructions of this CPU; "" if none or unknown."""
    if cpu_has("_is_amx_tile_supported"):
        return "amx"
    return "avx512" if cpu_has("_is_avx512_bf16_supported") else ""
