"""Files that are in order but odd: in whatever shape, the sample scores as it does in the usual one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from test_reference import OneFace

from syncnet.errors import NoAudioStreamError
from syncnet.faces.no_track import MissedGate, NoTrackReason
from syncnet.models.lite import load_lite
from syncnet.pipeline import Stages, score_video
from syncnet.reference.chain import published_chain
from syncnet.reference.ffmpeg import FfmpegTools, ffmpeg_version
from syncnet.reference.pyav import PyavTools
from syncnet.reference.tools import ReferenceJob
from syncnet.results import VideoScore
from syncnet.scoring.score import SyncScore
from syncnet.settings import MediaSettings
from syncnet.system.interruption import StopFlag
from synthetic.hostile import Shape, Sound, write_shape
from weights import WeightsPolicy

FACE = OneFace((74.0, 60.0, 156.0, 172.0))
"""Of the sample, at half its size."""
Scorer = Callable[..., VideoScore]

PCM, OPUS = "pcm_s16le", "libopus"
SHAPES = {
    "two_channels_voice_left.mp4": Shape(sounds=[Sound(layout="stereo", voice_in=[0])]),
    "six_channels_voice_centre.mp4": Shape(sounds=[Sound(layout="5.1", voice_in=[2])]),
    "six_channels_voice_left.mp4": Shape(sounds=[Sound(layout="5.1", voice_in=[0])]),
    "six_channels_voice_behind.mp4": Shape(sounds=[Sound(layout="5.1", voice_in=[4])]),
    "six_channels_of_ac3.mp4": Shape(sounds=[Sound("ac3", layout="5.1", voice_in=[2])]),
    "eight_channels.mkv": Shape(sounds=[Sound("flac", layout="7.1", voice_in=[2])]),
    "8_khz.mkv": Shape(sounds=[Sound(PCM, 8_000)]),
    "11_khz.mkv": Shape(sounds=[Sound(PCM, 11_025)]),
    "96_khz.mkv": Shape(sounds=[Sound(PCM, 96_000)]),
    "192_khz.mkv": Shape(sounds=[Sound(PCM, 192_000)]),
    "10_bit.mp4": Shape(pix_fmt="yuv420p10le"),
    "full_colour.mp4": Shape(pix_fmt="yuv444p"),
    "grey.mp4": Shape(pix_fmt="gray"),
    "see_through.mov": Shape(codec="qtrle", pix_fmt="argb", options=()),
    "see_through.webm": Shape(
        codec="libvpx-vp9",
        pix_fmt="yuva420p",
        options=(("deadline", "realtime"), ("cpu-used", "8")),
        sounds=[Sound(OPUS)],
    ),
    "interlaced.ts": Shape(
        codec="mpeg2video", options=(("flags", "+ildct+ilme"), ("b", "4M")), sounds=[Sound("mp2")], container="mpegts"
    ),
    "odd_sides.mkv": Shape(codec="ffv1", pix_fmt="yuv420p", size_px=(225, 223), options=()),
    "240_frames_a_second.mp4": Shape(fps=240),
    "cover_picture_first.mp4": Shape(cover_first=True),
    "starts_after_12_days.mkv": Shape(start_seconds=1e6),
    "starts_after_a_day.ts": Shape(start_seconds=9e4, container="mpegts"),
    "starts_after_a_day.mp4": Shape(start_seconds=9e4),
    "starts_before_zero.mkv": Shape(start_seconds=-1.0),
}


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """Writes the shape and scores it."""
    folder = tmp_path_factory.mktemp("shapes")
    model = load_lite("cpu", WeightsPolicy(offline=True))

    def write_and_score(name: str, shape: Shape, audio_track: int | None = None) -> VideoScore:
        path = write_shape(folder / name, shape)
        return score_video(path, Stages(model, FACE, media=MediaSettings(audio_track)), StopFlag())

    return write_and_score


@pytest.fixture(scope="module")
def usual(score: Scorer) -> SyncScore:
    return only_score(score("usual.mp4", Shape()))


def only_score(video: VideoScore) -> SyncScore:
    (track,) = video.tracks
    assert track.frame_count == 60
    assert track.score is not None and track.score.evidence is not None
    return track.score


def assert_as_usual(found: SyncScore, usual: SyncScore) -> None:
    assert found.offset_frames == usual.offset_frames
    # Encoding a video again moves its confidence by 0.4 on average and by 1.2 at worst (docs/scores.md). Of this clip
    # only some 50 lips have speech beside them, and which of them count depends on where its sound begins.
    assert found.confidence == pytest.approx(usual.confidence, abs=1.2)
    assert found.rests_on_evidence


@pytest.mark.parametrize("name", SHAPES)
def test_an_odd_file_scores_as_usual(name: str, score: Scorer, usual: SyncScore) -> None:
    assert_as_usual(only_score(score(name, SHAPES[name])), usual)


@pytest.mark.parametrize("seconds", [2.2, 4.4])
def test_sound_of_another_length_is_compared_as_far_as_it_goes(seconds: float, score: Scorer, usual: SyncScore) -> None:
    found = only_score(score("other_length.mp4", Shape(sounds=[Sound(seconds=seconds)])))
    # Other pairs of lips and sound are compared then, so the score is another, near the usual one.
    assert found.offset_frames == pytest.approx(usual.offset_frames, abs=1)
    assert found.confidence > 2.0
    assert found.rests_on_evidence


def test_one_frame_is_no_track(score: Scorer) -> None:
    video = score("single.mp4", Shape(seconds=0.04))
    assert video.tracks == ()
    assert video.no_track == NoTrackReason(track_frames=MissedGate(50, 1))


def test_lips_at_a_frame_a_second_fit_nothing(score: Scorer) -> None:
    (track,) = score("slow.mp4", Shape(fps=1, seconds=3)).tracks
    # The last of three pictures is shown for a second too: 75 frames.
    assert track.frame_count == 75
    assert track.score is not None and not track.score.rests_on_evidence


# Several sound tracks

TWO_TRACKS = Shape(sounds=[Sound(shift_seconds=0.4), Sound()])
"""The first one late by ten frames."""


def test_the_first_sound_track_is_scored_unless_another_is_asked_for(score: Scorer, usual: SyncScore) -> None:
    late = only_score(score("tracks.mp4", TWO_TRACKS))
    assert late.offset_frames == pytest.approx(usual.offset_frames - 10, abs=1)
    assert only_score(score("tracks.mp4", TWO_TRACKS, 0)).curve.tolist() == late.curve.tolist()
    assert_as_usual(only_score(score("tracks.mp4", TWO_TRACKS, 1)), usual)


def test_a_sound_track_that_is_not_there_is_told_with_those_that_are(score: Scorer) -> None:
    with pytest.raises(NoAudioStreamError) as caught:
        score("tracks.mp4", TWO_TRACKS, 2)
    assert str(caught.value) == (
        "there is no audio track 2: the file holds 2 audio tracks: give --audio_track 0 to 1, or leave it out"
    )
    with pytest.raises(NoAudioStreamError) as caught:
        score("usual.mp4", Shape(), 1)
    assert str(caught.value) == (
        "there is no audio track 1: the file holds one audio track: give --audio_track 0, or leave it out"
    )


@pytest.mark.parametrize("program", ["ffmpeg", "PyAV"])
def test_the_published_way_hears_the_same_track(program: str, tmp_path: Path) -> None:
    path = shutil.which("ffmpeg") if program == "ffmpeg" else None
    version = ffmpeg_version(path) if path else None
    if program == "ffmpeg" and not version:
        pytest.skip("the ffmpeg program is not installed")
    tools = FfmpegTools(str(path), str(version)) if program == "ffmpeg" else PyavTools()
    # ffmpeg left to itself takes the one with the most channels.
    clip = write_shape(tmp_path / "clip.mp4", Shape(sounds=[Sound(layout="stereo", voice_in=[]), Sound()]))
    for track, is_loud in ((0, False), (1, True)):
        with published_chain(ReferenceJob(clip, StopFlag(), 60.0, track), tools) as chain:
            chain.reencode()
            assert (int(abs(chain.samples).max()) > 1000) is is_loud
            assert (int(abs(chain.given_clip().samples).max()) > 1000) is is_loud
