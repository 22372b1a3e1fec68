"""The published network: equal to the published numbers, and its windows, sound and scores by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
import python_speech_features as psf
import torch

from syncnet.conventions import MAX_SHIFT_FRAMES, SAMPLES_PER_FRAME
from syncnet.errors import ModelFileError
from syncnet.models.protocol import Embeddings
from syncnet.models.syncnet_v2 import SyncNetV2, load_syncnet_v2, mfcc
from syncnet.models.syncnet_v2_network import SyncNetV2Layers, SyncNetV2Streams
from syncnet.scoring.score import PAIRWISE_EPSILON, score_sync
from synthetic.weights import seeded_syncnet_v2_state, write_seeded_syncnet_v2

# Held between versions of the libraries: 1e-4 of the largest value.
GOLDEN_TOLERANCE = 1e-4
# Of the largest value too: what float32 itself leaves open. On example.avi the published layers are 1.5e-5 away from
# the same in float64, the fast form 1.2e-5; batches of another size round differently as well.
FLOAT32_TOLERANCE = 4e-5


@pytest.fixture(scope="module")
def model(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> SyncNetV2:
    path = tmp_path_factory.mktemp("weights") / "syncnet_v2.model"
    return load_syncnet_v2(write_seeded_syncnet_v2(path, test_data), "cpu")


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (10, 224, 224, 3), dtype=np.uint8)


def noise(frames: float) -> np.ndarray:
    return np.random.default_rng(7).integers(-5000, 5000, int(frames * SAMPLES_PER_FRAME), dtype=np.int16)


@pytest.fixture(scope="module")
def example_samples(test_data: Path) -> np.ndarray:
    with av.open(str(test_data / "clips" / "example.avi")) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


@pytest.fixture(scope="module")
def example(test_data: Path, model: SyncNetV2, example_samples: np.ndarray) -> Embeddings:
    """Of example.avi, whose frames are face crops as they are, in pieces as the pipeline gives them."""
    with av.open(str(test_data / "clips" / "example.avi")) as container:
        frames = np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)])
    assert len(frames) == 317
    encoder = model.face_encoder()
    for first in range(0, len(frames), 64):
        encoder.push(frames[first : first + 64])
    return model.embed(encoder, example_samples, 0, len(frames))


def assert_close_to_golden(actual: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=GOLDEN_TOLERANCE * np.abs(expected).max())


@pytest.mark.slow
def test_embeddings_and_distances_equal_the_published_ones(test_data: Path, example: Embeddings) -> None:
    with np.load(test_data / "goldens" / "syncnet_seeded_direct.npz") as golden:
        assert_close_to_golden(example.video[:8], golden["video_embeddings_head"])
        assert_close_to_golden(example.audio[:8], golden["audio_embeddings_head"])
        sound = np.pad(example.audio, ((MAX_SHIFT_FRAMES, MAX_SHIFT_FRAMES), (0, 0)))
        neighbours = np.stack([sound[k : k + len(example.video)] for k in range(2 * MAX_SHIFT_FRAMES + 1)], axis=1)
        distances = np.linalg.norm(example.video[:, None] - neighbours + PAIRWISE_EPSILON, axis=2)
        assert_close_to_golden(distances, golden["distances"])


@pytest.mark.slow
def test_score_equals_the_published_one(test_data: Path, model: SyncNetV2, example: Embeddings) -> None:
    expected = json.loads((test_data / "goldens" / "syncnet_seeded_scores.json").read_text())["direct_decode"]
    assert len(example.video) == len(example.audio) == expected["n_windows"]
    score = score_sync(example, model)
    assert score is not None
    assert score.offset_frames == expected["offset"]
    assert score.confidence == pytest.approx(expected["confidence"], abs=1e-3)
    assert_close_to_golden(score.curve, np.array(expected["mean_distances"]))
    assert score.min_distance == pytest.approx(expected["min_distance"], rel=GOLDEN_TOLERANCE)


def test_mfcc_equal_the_published_ones(test_data: Path, example_samples: np.ndarray) -> None:
    with np.load(test_data / "goldens" / "syncnet_seeded_direct.npz") as golden:
        # The same library in the same precision: only the order of additions may differ.
        np.testing.assert_allclose(mfcc(example_samples)[:24], golden["mfcc_head"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("steps_per_block", [1, 7, 1000])
def test_mfcc_in_blocks_equal_those_of_the_whole(steps_per_block: int) -> None:
    # 60 steps need 59 * 160 + 400 = 9840 samples; 50 more do not make another step of 25 ms.
    samples = noise(9890 / SAMPLES_PER_FRAME)
    whole = psf.mfcc(samples)
    assert len(whole) == 61, "the library fills its last step up with zeros"
    np.testing.assert_allclose(mfcc(samples, steps_per_block), whole[:60], rtol=1e-9, atol=1e-9)


def test_sound_too_short_for_a_step_gives_none() -> None:
    assert mfcc(noise(0)).shape == mfcc(noise(399 / SAMPLES_PER_FRAME)).shape == (0, 13)


@pytest.mark.slow
def test_fast_form_equals_the_published_layers(test_data: Path, crops: np.ndarray) -> None:
    layers = SyncNetV2Layers().eval()
    layers.load_state_dict(seeded_syncnet_v2_state(test_data))
    steps = torch.from_numpy(mfcc(noise(7))).float()
    with torch.inference_mode():
        # As published: (batch, colour, 5, 224, 224) and (batch, 1, 13, 20).
        windows = torch.from_numpy(crops[:6]).float().permute(3, 0, 1, 2).unfold(1, 5, 1).permute(1, 0, 4, 2, 3)
        lips = layers.netfclip(layers.netcnnlip(windows).flatten(1))
        sound = layers.netfcaud(layers.netcnnaud(torch.stack([steps[:20].T, steps[4:24].T])[:, None]).flatten(1))
        streams = SyncNetV2Streams(layers)
        for fast, published in (
            (streams.embed_lips(torch.from_numpy(crops[:6])), lips),
            (streams.embed_sound(steps)[:2], sound),
        ):
            torch.testing.assert_close(fast, published, rtol=0, atol=FLOAT32_TOLERANCE * float(published.abs().max()))


def test_state_dict_has_the_published_names_and_shapes() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in SyncNetV2Layers().state_dict().items()}
    assert len(shapes) == 102
    lips = {f"netcnnlip.{n}.weight": shapes[f"netcnnlip.{n}.weight"] for n in (0, 4, 8, 11, 14, 18)}
    assert list(lips.values()) == [
        (96, 3, 5, 7, 7),
        (256, 96, 1, 5, 5),
        (256, 256, 1, 3, 3),
        (256, 256, 1, 3, 3),
        (256, 256, 1, 3, 3),
        (512, 256, 1, 6, 6),
    ]
    sound = {f"netcnnaud.{n}.weight": shapes[f"netcnnaud.{n}.weight"] for n in (0, 4, 8, 11, 14, 18)}
    assert list(sound.values()) == [
        (64, 1, 3, 3),
        (192, 64, 3, 3),
        (384, 192, 3, 3),
        (256, 384, 3, 3),
        (256, 256, 3, 3),
        (512, 256, 5, 4),
    ]
    assert shapes["netfclip.0.weight"] == (512, 512) and shapes["netfcaud.3.weight"] == (1024, 512)
    assert shapes["netcnnaud.19.num_batches_tracked"] == ()


def test_pieces_of_any_size_give_the_same_embeddings(model: SyncNetV2, crops: np.ndarray) -> None:
    whole = model.face_encoder()
    whole.push(crops)
    pieces = model.face_encoder()
    for first, end in ((0, 1), (1, 3), (3, 9), (9, 10)):
        pieces.push(crops[first:end])
    expected = whole.embeddings()
    assert expected.shape == (6, 1024) and expected.dtype == np.float32
    np.testing.assert_allclose(pieces.embeddings(), expected, rtol=0, atol=FLOAT32_TOLERANCE * np.abs(expected).max())


def test_sound_is_cut_to_the_track(model: SyncNetV2, crops: np.ndarray) -> None:
    encoder = model.face_encoder()
    encoder.push(crops)
    file_samples = noise(30)
    inside = model.embed(encoder, file_samples, first_frame=4, frame_count=10)
    alone = model.embed(encoder, file_samples[4 * SAMPLES_PER_FRAME : 14 * SAMPLES_PER_FRAME], 0, 10)
    # Ten frames hold six windows, of which the last is left out as published.
    assert inside.video.shape == inside.audio.shape == (5, 1024)
    np.testing.assert_array_equal(inside.audio, alone.audio)
    assert inside.audio_lead == 0 and inside.zero_pad_ends and inside.metric == "euclidean"


@pytest.mark.parametrize(("sound_frames", "windows"), [(8, 3), (8.9, 3), (5.9, 0), (0, 0)])
def test_windows_end_where_the_sound_ends(
    model: SyncNetV2, crops: np.ndarray, sound_frames: float, windows: int
) -> None:
    encoder = model.face_encoder()
    encoder.push(crops)
    embeddings = model.embed(encoder, noise(sound_frames), 0, 10)
    assert embeddings.video.shape == embeddings.audio.shape == (windows, 1024)


def test_track_shorter_than_a_window_or_beyond_the_sound_has_no_score(model: SyncNetV2, crops: np.ndarray) -> None:
    encoder = model.face_encoder()
    assert score_sync(model.embed(encoder, noise(10), 0, 0), model) is None
    encoder.push(crops[:4])
    assert score_sync(model.embed(encoder, noise(10), 0, 4), model) is None
    encoder.push(crops[4:])
    assert score_sync(model.embed(encoder, noise(10), 20, 10), model) is None


@pytest.mark.parametrize("early", [-3, 3])
def test_score_of_shifted_embeddings_by_hand(model: SyncNetV2, early: int) -> None:
    # Fifty lips, all at right angles; sound j is lip j + early. Where they meet the distance is 0, elsewhere sqrt(2),
    # to a zero vector 1.
    points = np.eye(60, dtype=np.float32)
    embeddings = Embeddings(points[5:55], points[5 + early : 55 + early], 0, "euclidean", zero_pad_ends=True)
    score = score_sync(embeddings, model)
    assert score is not None
    assert score.offset_frames == early
    # At the right shift 47 pairs agree and three lips meet nothing.
    assert score.min_distance == pytest.approx(3 / 50, abs=1e-5)
    # At any other shift s, |s| of fifty distances are 1 and the others sqrt(2): the larger |s|, the smaller the mean.
    # Of 31 shifts the right one comes first, then +-15, +-14, ...; the sixteenth is the first of +-8.
    median = (8 + 42 * np.sqrt(2)) / 50
    assert score.confidence == pytest.approx(median - 3 / 50, abs=1e-5)


def test_missing_tensor_is_refused(test_data: Path, tmp_path: Path) -> None:
    state = seeded_syncnet_v2_state(test_data)
    del state["netfclip.3.bias"]
    torch.save(state, tmp_path / "syncnet_v2.model")
    with pytest.raises(ModelFileError, match=r'does not fit the network \(Missing key.*"netfclip.3.bias"'):
        load_syncnet_v2(tmp_path / "syncnet_v2.model", "cpu")


def test_wrong_shape_is_refused(test_data: Path, tmp_path: Path) -> None:
    state = seeded_syncnet_v2_state(test_data)
    # The same numbers as the published ones, without the step in time.
    state["netcnnlip.4.weight"] = state["netcnnlip.4.weight"].flatten(1, 2)
    torch.save(state, tmp_path / "syncnet_v2.model")
    with pytest.raises(ModelFileError, match=r"does not fit the network \(size mismatch for netcnnlip.4.weight"):
        load_syncnet_v2(tmp_path / "syncnet_v2.model", "cpu")


class RunsCode:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False])
def test_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "syncnet_v2.model"
    torch.save({"netfclip.3.bias": RunsCode(tmp_path / "hacked")}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelFileError, match="not a file of plain tensors"):
        load_syncnet_v2(path, "cpu")
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", bytes(range(256)) * 40, b"\x80\x02}q\x00.", b"PK\x03\x04"]
)
def test_file_of_anything_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "syncnet_v2.model"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a file of plain tensors"):
        load_syncnet_v2(path, "cpu")


def test_state_that_is_no_table_is_refused(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "syncnet_v2.model")
    with pytest.raises(ModelFileError, match="does not fit the network"):
        load_syncnet_v2(tmp_path / "syncnet_v2.model", "cpu")


def test_missing_file_is_a_model_file_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_syncnet_v2(tmp_path / "nowhere.model", "cpu")
