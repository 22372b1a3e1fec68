"""What a run scores with is known without loading it, and is what is loaded where there is something to score."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import weights
from syncnet.errors import ModelFileError, UsageError
from syncnet.models.lite import LiteModel
from syncnet.models.lite_network import CONTEXT_FRAMES
from syncnet.models.protocol import MIN_TRACK_FRAMES
from syncnet.models.registry import choose_model
from syncnet.models.syncnet_v2 import SyncNetV2
from syncnet.models.syncnet_v2_network import WINDOW_FRAMES
from syncnet.settings import PRESETS, ScorerSettings, SpeedSettings, Thresholds, TrackSettings, presets_of
from syncnet.stages import ChosenStages, choose_stages
from syncnet.state.records import fingerprint_of
from weights import WeightsPolicy

LITE = ScorerSettings(model="lite", detector="lite", weights=WeightsPolicy(offline=True))


def not_to_be_loaded(*_: object) -> None:
    raise AssertionError("nothing is to be loaded")


@pytest.mark.parametrize(
    "settings",
    [
        LITE,
        replace(LITE, model="auto", detector="auto", tracks=TrackSettings(60, 40)),
        replace(LITE, detector="auto", no_detection=True, speed=SpeedSettings(precision="bfloat16")),
        replace(LITE, speed=SpeedSettings(detect_every_frames=1)),
    ],
)
def test_what_is_chosen_is_what_is_loaded(settings: ScorerSettings) -> None:
    chosen = choose_stages(settings, 1)
    loaded = chosen.load()
    assert (chosen.model.name, chosen.model.identity) == (loaded.model.name, loaded.model.identity)
    assert chosen.min_track_frames == loaded.model.min_track_frames
    assert (chosen.detector is None) == (loaded.detector is None)
    if chosen.detector and loaded.detector:
        assert (chosen.detector.name, chosen.detector.identity) == (loaded.detector.name, loaded.detector.identity)
    assert (chosen.precision, chosen.reference) == (loaded.precision, "")
    assert fingerprint_of(chosen) == fingerprint_of(loaded)


def test_known_files_are_not_loaded_to_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChosenStages, "load", not_to_be_loaded)
    assert choose_stages(LITE, 1).model.verified


def test_published_files_are_told_by_their_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = weights.manifest.load_manifest()
    for name, content in (("syncnet_v2.model", b"a network"), ("sfd_face.pth", b"a detector")):
        (tmp_path / name).write_bytes(content)
        manifest[name]["sha256"] = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(weights, "load_manifest", lambda: manifest)
    monkeypatch.setattr(ChosenStages, "load", not_to_be_loaded)
    policy = WeightsPolicy(tmp_path, offline=True)
    speed = SpeedSettings(precision="bfloat16")
    chosen = choose_stages(ScorerSettings(model="auto", detector="s3fd", weights=policy, speed=speed), 1)
    assert (chosen.model.name, chosen.model.identity) == ("syncnet_v2", hashlib.sha256(b"a network").hexdigest())
    assert chosen.detector is not None
    assert (chosen.detector.name, chosen.detector.identity) == ("s3fd", hashlib.sha256(b"a detector").hexdigest())
    assert chosen.precision == "bfloat16"


def test_a_file_that_nobody_vouches_for_is_tried_out_at_once(tmp_path: Path, repository: Path) -> None:
    shutil.copy(repository / "weights" / "lite_calibration.json", tmp_path)
    (tmp_path / "lite.safetensors").write_bytes(b"no tensors")
    policy = WeightsPolicy(tmp_path, offline=True, allow_unverified=True)
    assert not choose_model("lite", policy).verified
    with pytest.raises(ModelFileError, match="does not fit this version"):
        choose_stages(replace(LITE, weights=policy), 1)


def test_wrong_set_up_is_told_without_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChosenStages, "load", not_to_be_loaded)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UsageError, match="--min_track 25 is too short for the model lite: give 26 or more"):
        choose_stages(replace(LITE, tracks=TrackSettings(50, 25)), 1)
    with pytest.raises(UsageError, match="--device cuda: PyTorch finds no CUDA device here"):
        choose_stages(replace(LITE, device="cuda"), 1)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    with pytest.raises(UsageError, match="--device mps: PyTorch finds no GPU of a Mac here"):
        choose_stages(replace(LITE, device="mps"), 1)
    with pytest.raises(ModelFileError, match="--detector s3fd needs"):
        choose_stages(replace(LITE, detector="s3fd"), 1)


def test_the_shortest_tracks_follow_from_what_the_networks_see() -> None:
    assert MIN_TRACK_FRAMES == {"lite": CONTEXT_FRAMES + 15, "syncnet_v2": WINDOW_FRAMES + 15 + 1}
    assert (LiteModel.min_track_frames, SyncNetV2.min_track_frames) == (26, 21)


def test_a_limit_of_distance_is_refused_for_lite_before_any_video() -> None:
    with pytest.raises(UsageError, match="--max_distance 13 is a distance of the published network; those of lite are"):
        choose_stages(replace(LITE, thresholds=Thresholds(max_distance=13.0)), 1)


def test_presets_of_the_published_network_are_not_offered_for_lite() -> None:
    assert list(presets_of("lite")) == ["strict", "high", "medium", "relaxed"]
    assert presets_of("syncnet_v2") == PRESETS
    practices = {
        name: (t.min_confidence, t.max_abs_offset) for name, t in PRESETS.items() if name not in presets_of("lite")
    }
    assert practices == {
        "latentsync": (3.0, 6), "talkverse": (1.6, 3), "edityourself": (3.0, 1), "omniavatar": (4.0, 3),
    }  # fmt: skip
