"""Networks trained apart -> one model file: ``python -m training.join A B --out FILE``. Their cosines are averaged."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from syncnet.models.lite_files import WEIGHTS_FILE


def join(members: list[Path]) -> dict[str, torch.Tensor]:
    """All tensors, those of member n under ``n/``. Kernels go as float16, which halves the file; statistics do not."""
    joined = {}
    for number, path in enumerate(members):
        for name, tensor in load_file(path).items():
            half = tensor.is_floating_point() and tensor.dim() > 1
            joined[f"{number}/{name}"] = tensor.half() if half else tensor
    return joined


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("members", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=Path("weights") / WEIGHTS_FILE)
    options = parser.parse_args()
    save_file(join(options.members), options.out)


if __name__ == "__main__":
    main()
