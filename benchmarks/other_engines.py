"""Would another engine, or int8, run the published networks faster than torch does?

    pip install onnx onnxruntime openvino
    python -m benchmarks.other_engines --weights_dir DIR [--rounds N]

The lip stream of SyncNet v2 and the picture layers of S3FD run in torch, ONNX Runtime and OpenVINO on the CPU, all ways
taking turns in one process. int8 is ONNX Runtime's static quantisation by channel, calibrated on the very windows that
it then runs, which flatters it. Error: largest change of an embedding's number against torch in float32, over the
root mean square of these numbers. Prints Markdown.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from detectors.registry import S3FD_FILE
from detectors.s3fd.network import S3fdNetwork
from syncnet.models.checkpoint import load_checkpoint
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.precision import dtype_of, is_in_hardware
from syncnet.models.syncnet_v2_network import SyncNetV2Layers, SyncNetV2Streams
from syncnet.settings import Precision
from syncnet.system.cores import count_cores

LIP_BATCH = 4
LIP_BATCHES = 8


@dataclass(frozen=True)
class Way:
    name: str
    run: Callable[[np.ndarray], np.ndarray]


class LipStream(nn.Module):
    """Windows (n, 15, 224, 224) -> embeddings (n, 1024), in one precision."""

    def __init__(self, weights_path: Path, precision: Precision) -> None:
        super().__init__()
        layers = SyncNetV2Layers()
        load_checkpoint(layers, weights_path)
        streams = SyncNetV2Streams(layers, dtype_of(precision))
        self.places, self.window, self._dtype = streams.lip_places, streams.lip_window, dtype_of(precision)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self.window(self.places(windows.to(self._dtype)).float())
        return embeddings


class FacePictures(nn.Module):
    """Pictures (1, 3, H, W) -> the last feature map of S3FD's VGG, which is nearly all of its work."""

    def __init__(self, weights_path: Path, precision: Precision) -> None:
        super().__init__()
        network = S3fdNetwork()
        load_checkpoint(network, weights_path)
        network.eval().requires_grad_(False).calculate_in(dtype_of(precision))
        self.vgg, self._dtype = network.vgg, dtype_of(precision)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.vgg(pictures.to(self._dtype)).float()
        return features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights_dir", type=Path, required=True, help="folder of syncnet_v2.model and sfd_face.pth")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(count_cores())
    draw = np.random.default_rng(1)
    windows = draw.integers(0, 256, (LIP_BATCHES, LIP_BATCH, 15, 224, 224)).astype(np.float32)
    pictures = draw.integers(-120, 130, (4, 1, 3, 180, 320)).astype(np.float32)
    print("| network | engine | items/s | of torch in float32 | largest error |\n|---|---|---:|---:|---:|")
    with TemporaryDirectory(prefix="engines_") as folder:
        lips = arguments.weights_dir / SYNCNET_V2_FILE
        compare("lip stream", lambda p: LipStream(lips, p), windows, Path(folder), arguments.rounds)
        faces = arguments.weights_dir / S3FD_FILE
        compare("S3FD, 320 x 180", lambda p: FacePictures(faces, p), pictures, Path(folder), arguments.rounds)


def compare(
    network: str, make: Callable[[Precision], nn.Module], batches: np.ndarray, folder: Path, rounds: int
) -> None:
    """``batches`` (n, b, ...) float32: what each round runs, batch by batch."""
    ways = [*torch_ways(make), *other_ways(make("float32"), batches, folder)]
    results = {way.name: np.concatenate([way.run(batch) for batch in batches]) for way in ways}
    seconds = {way.name: float("inf") for way in ways}
    for _ in range(rounds):
        for way in ways:
            started = time.perf_counter()
            for batch in batches:
                way.run(batch)
            seconds[way.name] = min(seconds[way.name], time.perf_counter() - started)
    exact = results["torch float32"]
    for way in ways:
        rate = batches.shape[0] * batches.shape[1] / seconds[way.name]
        ratio = seconds["torch float32"] / seconds[way.name]
        error = float(np.abs(results[way.name] - exact).max() / np.sqrt(np.mean(exact**2)))
        print(f"| {network} | {way.name} | {rate:.1f} | {ratio:.2f} | {error:.1e} |", flush=True)


def torch_ways(make: Callable[[Precision], nn.Module]) -> Iterator[Way]:
    precisions: list[Precision] = ["float32"]
    if is_in_hardware("bfloat16", "cpu"):
        precisions.append("bfloat16")
    for precision in precisions:
        yield Way(f"torch {precision}", run_in_torch(make(precision)))


def run_in_torch(network: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    @torch.inference_mode()
    def run(batch: np.ndarray) -> np.ndarray:
        inputs = torch.from_numpy(batch).to(memory_format=torch.channels_last)
        result: np.ndarray = network(inputs).numpy()
        return result

    return run


def other_ways(network: nn.Module, batches: np.ndarray, folder: Path) -> Iterator[Way]:
    import onnxruntime
    import openvino

    exact, quantised = folder / "float32.onnx", folder / "int8.onnx"
    with warnings.catch_warnings():
        # The older of torch's two exporters, because the newer one wants another package.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(network, (torch.from_numpy(batches[0]),), str(exact), input_names=["x"], dynamo=False)
    logging.getLogger().setLevel(logging.ERROR)
    quantise(exact, quantised, batches)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count_cores()
    for name, path in (("onnxruntime float32", exact), ("onnxruntime int8", quantised)):
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        yield Way(name, lambda batch, session=session: session.run(None, {"x": batch})[0])
    core = openvino.Core()
    for name, path, precision in (
        ("openvino float32", exact, openvino.Type.f32),
        ("openvino bfloat16", exact, openvino.Type.bf16),
        ("openvino int8", quantised, openvino.Type.f32),
    ):
        hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": count_cores()}
        compiled = core.compile_model(str(path), "CPU", hints)
        yield Way(name, lambda batch, compiled=compiled: next(iter(compiled({"x": batch}).values())))


def quantise(exact: Path, quantised: Path, batches: np.ndarray) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> Any:
            batch = next(self._batches, None)
            return None if batch is None else {"x": batch}

    quantize_static(
        str(exact),
        str(quantised),
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


if __name__ == "__main__":
    main()
