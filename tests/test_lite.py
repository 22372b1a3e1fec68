"""The embedded model's mechanics: alignment of its two streams, streaming, normalisation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from syncnet.conventions import SAMPLES_PER_FRAME
from syncnet.models.folding import fold_norms
from syncnet.models.lite import LiteFaceEncoder, LiteModel, _Delayed, load_lite, load_networks
from syncnet.models.lite_calibration import Calibration, read_calibration
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.models.lite_network import CONTEXT_FRAMES, LiteNetwork
from syncnet.models.protocol import Embeddings
from syncnet.scoring.score import mean_distances
from training.join import join
from weights import WeightsPolicy


@pytest.fixture(scope="module")
def model() -> LiteModel:
    return load_lite("cpu", WeightsPolicy())


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (70, 224, 224, 3), dtype=np.uint8)


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(7).integers(-5000, 5000, frames * SAMPLES_PER_FRAME, dtype=np.int16)


def test_streams_keep_step(model: LiteModel, crops: np.ndarray) -> None:
    encoder = model.face_encoder()
    encoder.push(crops)
    # Ten frames into the file: the sound may reach ten frames back, not fifteen.
    embeddings = model.embed(encoder, noise(200), first_frame=10, frame_count=70)
    assert embeddings.video.shape == (60, 128)
    assert embeddings.audio_lead == 10
    assert embeddings.audio.shape == (10 + 70 + 15 - (CONTEXT_FRAMES - 1), 128)
    np.testing.assert_allclose(np.linalg.norm(embeddings.video, axis=1), 1, atol=1e-5)


def test_folded_norms_change_no_embedding() -> None:
    torch.manual_seed(2)
    network = LiteNetwork()
    mouths, mel = torch.randint(0, 256, (1, 40, 64, 64)).float(), torch.randn(1, 4 * 60, 40)
    for _ in range(3):
        # A few steps of training, so that the norms are not as they are made.
        network.embed_lips(network.frame_network(mouths))
        network.embed_sound(mel)
    network.eval()
    with torch.no_grad():
        lips, sound = network.embed_lips(network.frame_network(mouths)), network.embed_sound(mel)
        fold_norms(network)
        torch.testing.assert_close(network.embed_lips(network.frame_network(mouths)), lips, rtol=0, atol=1e-5)
        torch.testing.assert_close(network.embed_sound(mel), sound, rtol=0, atol=1e-5)
    # The one at the beginning of the lips' time has no convolution before it.
    left = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)]
    assert left == [network.lip_time[0]]


def test_sound_embedding_sees_its_own_frames_only() -> None:
    torch.manual_seed(0)
    network = LiteNetwork().eval()
    mel = torch.randn(1, 4 * 60, 40)
    before = network.embed_sound(mel)[0]
    changed = mel.clone()
    changed[:, 4 * 30] += 1.0  # the first step of frame 30
    moved = (network.embed_sound(changed)[0] - before).abs().sum(dim=1) > 1e-6
    # Embedding i sees the steps 4 i .. 4 i + 40, so step 120 shows in embeddings 20 to 30.
    assert moved.nonzero().flatten().tolist() == list(range(20, 31))


def test_lip_embedding_sees_its_eleven_frames_only() -> None:
    torch.manual_seed(0)
    network = LiteNetwork().eval()
    mouths = torch.rand(1, 40, 64, 64) * 255
    changed = mouths.clone()
    changed[0, 20, 10:30, 10:30] = 0
    before = network.embed_lips(network.frame_network(mouths))[0]
    moved = (network.embed_lips(network.frame_network(changed))[0] - before).abs().sum(dim=1) > 1e-6
    assert moved.nonzero().flatten().tolist() == list(range(10, 21))


def test_pieces_of_any_size_give_the_same_features(model: LiteModel, crops: np.ndarray) -> None:
    whole = model.face_encoder()
    whole.push(crops)
    pieces = model.face_encoder()
    for first, end in ((0, 1), (1, 2), (2, 40), (40, 70)):
        pieces.push(crops[first:end])
    # Batches of another size may round differently in the last digits.
    np.testing.assert_allclose(pieces.features()[:], whole.features()[:], rtol=1e-4, atol=1e-4)


def test_pieces_of_all_threads_come_back_to_their_own_from_the_queue_to_a_device(
    model: LiteModel, crops: np.ndarray
) -> None:
    # The processor under another name stands for a GPU: all that is not "cpu" has a queue.
    queued = load_lite("cpu:0", WeightsPolicy())

    def features(own: LiteModel, number: int) -> np.ndarray:
        encoder = own.face_encoder()
        for first in range(number, 70, 20 + 5 * (number % 2)):
            encoder.push(crops[first : first + 20 + 5 * (number % 2)])
        return encoder.features()[:]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda number: features(queued, number), range(6)))
    for number, own in enumerate(found):
        np.testing.assert_allclose(own, features(model, number), rtol=1e-4, atol=1e-4)


def test_short_track_or_missing_sound_gives_no_embedding(model: LiteModel, crops: np.ndarray) -> None:
    encoder = model.face_encoder()
    encoder.push(crops[: CONTEXT_FRAMES - 1])
    assert len(model.embed(encoder, noise(30), 0, CONTEXT_FRAMES - 1).video) == 0
    encoder = model.face_encoder()
    encoder.push(crops)
    assert len(model.embed(encoder, noise(5), 0, 70).audio) == 0


def test_silence_beside_speech_changes_no_sound(model: LiteModel, crops: np.ndarray) -> None:
    """Three seconds of silence behind two of sound: what is heard in the two is the same without them."""
    encoder = model.face_encoder()
    encoder.push(np.tile(crops, (2, 1, 1, 1))[:125])
    sound = np.concatenate([noise(50), np.zeros(75 * SAMPLES_PER_FRAME, np.int16)])
    counts = np.arange(125) < 50
    alone = model.embed(encoder, noise(50), 0, 125).audio
    beside = model.embed(encoder, sound, 0, 125, counts).audio[: len(alone)]
    # The last steps of the fiftieth frame reach into the silence.
    assert (beside * alone).sum(axis=1).min() > 0.99
    # By the silence as well the same sound is another one.
    assert (model.embed(encoder, sound, 0, 125).audio[: len(alone)] * alone).sum(axis=1).max() < 0.9


def test_calibration_rises_from_zero(model: LiteModel) -> None:
    for embedding_count in (5, 40, 65, 90, 4000):
        confidences = [model.confidence(raw, embedding_count) for raw in np.linspace(0, 1.5, 40)]
        assert confidences[0] == 0
        assert (np.diff(confidences) > 0).all()


def test_calibration_by_hand() -> None:
    table = Calibration(
        np.array([50.0, 200.0]), np.array([[0.0, 0.4, 1.0], [0.0, 0.2, 1.0]]), np.array([0.0, 5.0, 9.0])
    )
    assert table.confidence_of(0.2, 50) == pytest.approx(2.5)
    assert table.confidence_of(0.2, 200) == pytest.approx(5)
    # Half-way between the lengths in their logarithm, 100 frames: the threshold lies at 0.3.
    assert table.confidence_of(0.3, 100) == pytest.approx(5)
    # The ends hold beyond.
    assert table.confidence_of(0.4, 10) == pytest.approx(5)
    assert table.confidence_of(0.2, 5000) == pytest.approx(5)
    assert table.confidence_of(7.0, 100) == pytest.approx(9)


def test_identity_names_weights_and_calibration(model: LiteModel) -> None:
    weights_digest, calibration_digest = model.identity.split("+")
    assert len(weights_digest) == 64 and len(calibration_digest) == 12


def test_a_model_of_two_members_averages_their_cosines(tmp_path: Path, repository: Path) -> None:
    single = load_networks(repository / "weights" / WEIGHTS_FILE)[0]
    torch.manual_seed(5)
    other = LiteNetwork().eval()
    for number, network in enumerate((single, other)):
        save_file(network.state_dict(), tmp_path / f"{number}")
    save_file(join([tmp_path / "0", tmp_path / "1"]), tmp_path / "both")
    members = load_networks(tmp_path / "both")
    assert len(members) == 2

    calibration = read_calibration(repository / "weights" / CALIBRATION_FILE)
    rng = np.random.default_rng(0)
    mouths = rng.integers(0, 256, (60, 64, 64)).astype(np.uint8)
    samples = rng.integers(-3000, 3000, 60 * 640).astype(np.int16)

    def curve(networks: list[LiteNetwork]) -> np.ndarray:
        model = LiteModel(networks, calibration, "", "cpu")
        encoder = LiteFaceEncoder(model)
        encoder.push_mouths(mouths)
        return mean_distances(model.embed(encoder, samples, 0, 60))

    mean = (curve([single]) + curve([other])) / 2
    # Kernels went through float16, which is good for three digits.
    np.testing.assert_allclose(curve(members), mean, atol=2e-3)


def test_a_track_of_hours_is_embedded_block_by_block(model: LiteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    mouths = rng.integers(0, 256, (400, 64, 64), dtype=np.uint8)
    samples = rng.integers(-6000, 6000, 420 * 640).astype(np.int16)
    counts = rng.random(420) < 0.6

    def embed() -> Embeddings:
        encoder = model.face_encoder()
        for first in range(0, 400, 64):
            encoder.push_mouths(mouths[first : first + 64])
        return model.embed(encoder, samples, 5, 400, counts)

    whole = embed()
    monkeypatch.setattr("syncnet.models.lite.ROWS_AT_ONCE", 70)
    monkeypatch.setattr("syncnet.models.features.MOST_STEPS_HELD", 1000)
    monkeypatch.setattr("syncnet.models.features.STEPS_PER_BLOCK", 130)
    parts = embed()
    assert (parts.video.shape, parts.audio.shape) == (whole.video.shape, whole.audio.shape) == ((390, 128), (410, 128))
    np.testing.assert_allclose(parts.video, whole.video, atol=1e-5)
    # The level of the sound is summed in double precision then.
    np.testing.assert_allclose(parts.audio, whole.audio, atol=1e-4)


def test_delayed_sound_is_read_in_parts() -> None:
    sound = np.arange(1, 100)
    for first, end, delay in ((0, 60, 7), (3, 60, 7), (20, 200, 7), (0, 9, 7), (5, 50, -7), (0, 200, 0)):
        delayed = _Delayed(sound, first, end, delay)
        whole = delayed[:].tolist()
        assert len(whole) == len(delayed)
        for step in (1, 4, 50):
            parts = [delayed[at : at + step] for at in range(0, len(delayed), step)]
            assert np.concatenate(parts).tolist() == whole


@pytest.mark.parametrize("delay", [-160, 0, 160])
def test_the_zero_delays_the_sound_and_no_more(delay: int) -> None:
    sound = np.arange(1000, 2000)
    assert _Delayed(sound, 320, 480, delay)[:].tolist() == list(range(1320 - delay, 1480 - delay))


def test_sound_before_the_start_mirrors_the_first_samples() -> None:
    assert _Delayed(np.arange(10), 0, 6, 2)[:].tolist() == [1, 0, 0, 1, 2, 3]
    assert _Delayed(np.arange(0), 0, 6, 2)[:].tolist() == []


def test_a_zero_of_a_frame_moves_the_offset_by_a_frame(model: LiteModel, repository: Path) -> None:
    calibration = read_calibration(repository / "weights" / CALIBRATION_FILE)
    networks = load_networks(repository / "weights" / WEIGHTS_FILE)
    rng = np.random.default_rng(3)
    mouths = rng.integers(0, 255, (40, 64, 64), dtype=np.uint8)
    samples = rng.integers(-9000, 9000, 80 * 640).astype(np.int16)
    curves = []
    for zero_ms in (0.0, 40.0):
        moved = LiteModel(networks, replace(calibration, zero_ms=zero_ms), "", "cpu")
        encoder = LiteFaceEncoder(moved)
        encoder.push_mouths(mouths)
        embeddings = moved.embed(encoder, samples, 20, 40)
        curves.append(mean_distances(embeddings))
    # Sound that comes a frame later meets each lip a shift further on.
    np.testing.assert_allclose(curves[1][4:28], curves[0][3:27], atol=0.003)
    assert np.abs(curves[1][4:28] - curves[0][4:28]).max() > 0.01
