"""What benchmarks/known_shift.py measures, in small: a sound moved by a known amount is found where it was moved to."""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.known_shift import CLIPS_FILE, TalkingClip, run_command, summarise_all, write_variants
from benchmarks.media_timing import (
    CONTAINERS,
    EDITED,
    STARTS,
    STORES_NO_DELAY,
    base_clip,
    clips_to_read,
    read_bias,
)
from benchmarks.shift_figures import Outcome, reference_offset, summarise
from benchmarks.variants import FULL, REFERENCE_KINDS, Variant, plan_variants
from synthetic.media import Clip, find_clicks, write_clip
from synthetic.source_clip import SourceClip, read_source

MAX_BIAS_MS = 5.0
"""The goal for every container that stores its delay; a frame is 40 ms."""
MEDIA_CASES = [
    # Every frame rate in one container each; every container at least once.
    ("MOV/PCM", "23.976"),
    ("MPEG-TS/MP2", "24"),
    ("WebM VP8/Opus", "25"),
    ("MP4/AAC", "29.97"),
    ("MPEG-TS/AAC", "30"),
    ("WebM VP9/Opus", "50"),
    ("Matroska/Opus", "60"),
    ("MP4/AAC", "variable"),
]


def bias_ms(path: Path, clip: Clip) -> float:
    return 1000 * sum(read_bias(write_clip(path, clip), clip))


@pytest.mark.parametrize(("container", "frame_rate"), MEDIA_CASES)
def test_picture_and_sound_are_read_in_step(container: str, frame_rate: str, tmp_path: Path) -> None:
    extension, clip = base_clip(container, frame_rate)
    assert abs(bias_ms(tmp_path / f"clip.{extension}", clip)) < MAX_BIAS_MS


@pytest.mark.parametrize("container", ["MP4/AAC", "Matroska/Opus", "MPEG-TS/MP2"])
@pytest.mark.parametrize("start", STARTS)
def test_streams_that_start_apart_or_late_are_read_in_step(container: str, start: str, tmp_path: Path) -> None:
    # Matroska's header gives the time of the end as the length: at first stamps of 10 s that is no missing 10 s.
    extension, clip = base_clip(container, "25")
    assert abs(bias_ms(tmp_path / f"clip.{extension}", replace(clip, **STARTS[start]))) < MAX_BIAS_MS


def test_what_an_edit_list_hides_is_not_shown(tmp_path: Path) -> None:
    _, _, _, extension, clip = next(planned for planned in clips_to_read() if planned[2] == EDITED)
    path = write_clip(tmp_path / f"clip.{extension}", clip)
    with av.open(str(path)) as container:
        # The hidden 12 frames are in the file: without the edit list the sound would seem 480 ms late.
        hidden = [packet for packet in container.demux(video=0) if packet.size and packet.is_discard]
    assert len(hidden) == 12
    assert abs(1000 * sum(read_bias(path, clip))) < MAX_BIAS_MS


def test_the_bias_of_a_moved_sound_is_what_it_was_moved_by(tmp_path: Path) -> None:
    extension, clip = base_clip("MP4/AAC", "30")
    path = write_clip(tmp_path / f"clip.{extension}", replace(clip, sound_shift=0.02))
    # Held against the clip that was not moved: 20 ms late, negative as an offset is.
    assert 1000 * sum(read_bias(path, clip)) == pytest.approx(-20, abs=MAX_BIAS_MS)


def test_every_container_that_stores_its_delay_is_measured_at_every_rate() -> None:
    rates = {name: {rate for c, rate, start, *_ in clips_to_read() if c == name and not start} for name in CONTAINERS}
    assert {len(rates[name]) for name in CONTAINERS if name != STORES_NO_DELAY} == {8}
    assert len(rates[STORES_NO_DELAY]) == 7


def outcomes(offsets_by_delay: dict[float, int | None], clip: str = "a") -> list[Outcome]:
    return [Outcome(clip, "kind", delay, offset) for delay, offset in offsets_by_delay.items()]


def test_a_clip_s_own_offset_is_finer_than_a_frame() -> None:
    # A clip whose sound is 1.3 frames early, delayed by quarters: 1.3, 1.05, 0.8 and 0.55, each rounded to 1.
    assert reference_offset(outcomes({0.0: 1, 0.25: 1, 0.5: 1, 0.75: 1})) == pytest.approx(1.375)
    # Of one fraction the median counts: the wild 9 among three does no harm.
    assert reference_offset(outcomes({-1.0: 2, 0.0: 9, 1.0: 0})) == 1.0
    assert reference_offset(outcomes({0.0: None})) is None


def test_figures_of_a_kind_by_hand() -> None:
    # Own offset 1. Errors: 0, +1, -0.5, +4 (lost), none (lost); delayed by 16, offset -15 is beyond the search.
    found = outcomes({0.0: 1, 4.0: -2, 2.5: -2, 5.0: 0, 6.0: None, 16.0: -15})
    figures = summarise("kind", found, {"a": 1.0})
    assert (figures.clips, figures.variants, figures.within_1, figures.lost) == (1, 5, 3, 2)
    # (0 + 1 - 0.5) / 3 frames of 40 ms.
    assert figures.bias_ms == 6.7
    assert figures.bias_error_ms is None
    # A second clip with an error of -1: mean of 6.67 and -40, half their distance as standard error.
    both = summarise("kind", [*found, *outcomes({0.0: -1}, "b")], {"a": 1.0, "b": 0.0})
    assert (both.bias_ms, both.bias_error_ms) == (-16.7, 23.3)


def test_only_the_reference_tells_a_clip_s_own_offset() -> None:
    reference = [Outcome("a", REFERENCE_KINDS[0], delay, round(2 - delay)) for delay in (-1.0, 0.0, 1.0)]
    others = [Outcome("a", "MP4/AAC, 60 fps", 0.0, 3), Outcome("a", f"{STORES_NO_DELAY}, 25 fps", 0.0, 4)]
    own_offsets, rows = summarise_all([*reference, *others])
    assert own_offsets == {"a": 2.0}
    # What AVI/MP3 is off by is reported, but not among the rest: (0 + 0 + 0 + 40) / 4 ms.
    assert [(row.variants, row.bias_ms) for row in rows] == [(3, 0.0), (1, 40.0), (1, 80.0), (4, 10.0)]


def test_source_sound_and_pictures_at_their_times() -> None:
    sound = np.arange(1, 9601, dtype=np.int16)
    frames = [np.full((6, 4), level, np.uint8) for level in (10, 20, 30)]
    source = SourceClip([0.0, 0.04, 0.08], frames, sound, (4, 4))
    # At 48 kHz, 1/25 s is 1920 samples.
    late, early = source.sound_delayed(0.04, 0.1), source.sound_delayed(-0.04, 0.2)
    assert (late[1919], late[1920], len(late)) == (0, 1, 4800)
    assert (early[0], early[7679], early[7680], len(early)) == (1921, 9600, 0, 9600)
    assert [int(source.frame_at(time)[0, 0]) for time in (-0.1, 0.019, 0.021, 0.06, 0.061, 5.0)] == [
        *(10, 10, 20, 20, 30, 30)
    ]


def test_the_source_is_read_as_the_media_stage_reads_it(tmp_path: Path) -> None:
    # Two decoders of the same file; the clicks lie at 0.5 s and on, the sample before the picture is left out.
    clip = Clip(fps=30, video_start=0.2, click_times=(0.5, 1.0), container="matroska", audio_codec="libopus")
    source = read_source(write_clip(tmp_path / "clip.mkv", clip), 1.5)
    assert len(source.frames) == 45
    assert source.frame_times[30] == pytest.approx(1.0, abs=0.001)
    assert find_clicks(source.sound, 48_000) == pytest.approx([0.3, 0.8], abs=0.0015)


def test_the_plan_covers_the_delays_and_the_fractions_of_a_frame() -> None:
    plan = plan_variants(5.0, FULL)
    whole = {variant.delay_frames for variant in plan if variant.kind == REFERENCE_KINDS[0]}
    assert whole == set(range(-12, 13))
    assert all(variant.delay_frames % 1 == 0.5 for variant in plan if variant.kind == REFERENCE_KINDS[1])
    for kind in {variant.kind for variant in plan} - set(REFERENCE_KINDS):
        # Four delays a kind, whose fractions cover a frame: without that a bias below a frame would not show.
        assert sorted(variant.delay_frames % 1 for variant in plan if variant.kind == kind) == [0, 0.25, 0.5, 0.75]


def test_every_clip_is_either_used_or_excluded_with_a_reason(test_data: Path) -> None:
    listed = json.loads(CLIPS_FILE.read_text(encoding="utf-8"))
    with (test_data / "clips" / "CLIPS.tsv").open(encoding="utf-8") as file:
        known = {row["file"] for row in csv.DictReader(file, delimiter="\t")}
    used = {TalkingClip(**entry).name for entry in listed["in_sync"]}
    assert used | listed["excluded"].keys() == known
    assert not used & listed["excluded"].keys()
    assert all(listed["excluded"].values())


MOVED = {
    "as it is": ("MP4/AAC", "25", 0.0),
    "6 frames ahead": ("MP4/AAC", "25", -6.0),
    "7 frames late, 60 fps": ("Matroska/Opus", "60", 7.0),
    "4 frames late, 29.97 fps": ("MPEG-TS/MP2", "29.97", 4.0),
    "half a frame late": ("MP4/AAC", "25", 0.5),
}


@pytest.fixture(scope="module")
def offsets(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Offsets that the real command finds in the sample in sync, moved."""
    folder = tmp_path_factory.mktemp("moved")
    variants = [
        Variant(name, delay, *base_clip(container, rate, seconds=4.0))
        for name, (container, rate, delay) in MOVED.items()
    ]
    clip = TalkingClip("in_sync.mp4", face_px=200, sound_early_frames=0.0, note="a sample")
    (folder / "videos").mkdir()
    paths = write_variants(folder / "videos", repository / "samples" / clip.name, clip, variants, workers=2)
    options = argparse.Namespace(model="lite", detector="lite", min_face_size=100, max_workers=2, weights_dir=None)
    results = run_command(folder / "videos", folder / "out", options)["results"]
    found = {Path(entry["video_path"]).name: entry["offset"] for entry in results}
    return {variant.kind: found[path.name] for variant, path in zip(variants, paths, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MOVED if name != "as it is"])
def test_the_command_finds_the_sound_where_it_was_moved_to(name: str, offsets: dict[str, int]) -> None:
    # Two offsets, each rounded to a frame, so one frame more or less; of half a frame both neighbours are as near.
    moved_by = offsets["as it is"] - offsets[name]
    assert abs(moved_by - MOVED[name][2]) <= 1
