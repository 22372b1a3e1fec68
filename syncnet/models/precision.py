"""In which floating-point numbers the networks calculate, and where the machine has them in hardware."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncnet.settings import Precision, PrecisionChoice

if TYPE_CHECKING:
    import torch


def resolve_precision(choice: PrecisionChoice, device: str) -> Precision:  # noqa: ARG001 (auto may come to look at it)
    """``auto`` is float32: what bfloat16 does to a published score has not been measured where hardware has it.

    ``device``: ``cpu``, ``cuda`` or ``mps``.
    """
    return "float32" if choice == "auto" else choice


def is_in_hardware(precision: Precision, device: str) -> bool:
    """Whether the device has instructions for products in this precision; without them it is slower than float32."""
    if precision == "float32":
        return True
    import torch

    if device == "cuda":
        return precision == "float16" or torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "mps":
        return precision == "float16"
    # torch has no public question for it; the first one is what its own convolutions go by.
    names = {
        "bfloat16": ("_is_avx512_bf16_supported", "_is_amx_tile_supported"),
        "float16": ("_is_amx_fp16_supported",),
    }
    return any(bool(getattr(torch.cpu, name, bool)()) for name in names[precision])


def dtype_of(precision: Precision) -> torch.dtype:
    """torch's own name of it."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[precision]
