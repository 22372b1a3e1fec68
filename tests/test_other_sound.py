"""Sound from elsewhere: laid beside the picture from its first sample on, found by name, and part of what is known."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

import numpy as np
import pytest
from folders import entries_in, make_videos, results_in, run, videos_below

from syncnet import SyncScorer, filter_videos
from syncnet.errors import NoSoundFileError, NotAVideoError, UsageError
from syncnet.inputs.sounds import SoundFolder, sound_at
from syncnet.media.opening import open_media
from syncnet.models.lite import load_lite
from syncnet.pipeline import Stages, score_video
from syncnet.reference.other_sound import write_with_sound
from syncnet.reference.pyav import PyavTools
from syncnet.reference.tools import ReferenceJob, write_wav
from syncnet.settings import MediaSettings, Request, RunOptions, ScorerSettings
from syncnet.subcommands.merge_ledgers import check_parts, read_part
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip
from weights import WeightsPolicy

CLICKS = (0.25, 0.75, 1.3)
OFF = ("--score_cache", "off")

# On the clock of the picture


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("s.wav", "pcm_s16le", 44_100),
        ("s.flac", "flac", 48_000),
        ("s.mp3", "libmp3lame", 44_100),
        ("s.m4a", "aac", 48_000),
        ("s.ogg", "libopus", 48_000),
        ("s.aiff", "pcm_s16be", 22_050),
    ],
)
def test_the_first_sample_of_a_sound_file_belongs_to_the_first_picture(
    tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    # The picture starts late, and the video has clicks of its own at other times.
    video = write_clip(tmp_path / "v.mp4", Clip(video_start=0.4, click_times=(0.9, 1.9)))
    # The sound starts late in its file.
    clip = Clip(video_codec=None, audio_codec=codec, sample_rate=rate, click_times=CLICKS)
    media = open_media(video, sound_file=write_clip(tmp_path / name, clip))
    assert find_clicks(media.samples) == pytest.approx(CLICKS, abs=0.002)
    assert [read_frame_number(frame) for frame in media.frames()] == list(range(50))
    assert media.info.audio_codec == {"libmp3lame": "mp3", "libopus": "opus"}.get(codec, codec)
    assert media.info.duration_seconds == pytest.approx(2.0, abs=0.001)


def test_a_video_without_sound_is_scored_against_another(tmp_path: Path) -> None:
    silent = write_clip(tmp_path / "v.mp4", Clip(audio_codec=None))
    sound = write_clip(tmp_path / "s.wav", Clip(video_codec=None, audio_codec="pcm_s16le", click_times=CLICKS))
    media = open_media(silent, sound_file=sound)
    assert find_clicks(media.samples) == pytest.approx(CLICKS, abs=0.001)
    assert sum(1 for _ in media.frames()) == 50


def test_what_is_no_sound_file_is_refused_under_its_own_name(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "v.mp4", Clip())
    playlist = tmp_path / "s.wav"
    playlist.write_text(f"ffconcat version 1.0\nfile '{video}'\n")
    with pytest.raises(NotAVideoError, match="this is not a sound file of a known kind") as refused:
        open_media(video, sound_file=playlist)
    assert refused.value.path == playlist


# Found by name


def test_a_sound_file_has_the_path_of_its_video_without_the_ending(tmp_path: Path) -> None:
    make_videos(tmp_path, "a.wav", "a.txt", "sub/b.flac", "c.wav", "c.mp3", ".d.wav", "e.lab")
    sounds = SoundFolder(tmp_path)
    assert sounds.find(PurePath("a.mp4")).path == tmp_path / "a.wav"
    assert sounds.find(PurePath("sub/b.mkv")).path == tmp_path / "sub" / "b.flac"
    problems = {name: sounds.find(PurePath(f"{name}.mp4")).problem for name in ("c", "d", "e", "sub/a", "b")}
    assert problems == {
        "c": f"several sound files in {tmp_path}: c.mp3, c.wav",
        "d": f"no sound file d.* in {tmp_path}",
        "e": f"no sound file e.* in {tmp_path}",
        "sub/a": f"no sound file a.* in {tmp_path / 'sub'}",
        "b": f"no sound file b.* in {tmp_path}",
    }
    with pytest.raises(UsageError, match=r"--audio_dir .*nowhere: no such file or directory"):
        SoundFolder(tmp_path / "nowhere")


def test_a_sound_file_that_went_away_is_told(tmp_path: Path) -> None:
    sound = sound_at(make_videos(tmp_path, "a.wav") / "a.wav")
    assert sound.as_it_is_now() == sound
    sound.path.unlink()
    with pytest.raises(NoSoundFileError, match=r"its sound file .*a\.wav: no such file or directory"):
        sound.as_it_is_now()


def test_flags_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    track = ScorerSettings(media=MediaSettings(audio_track=1))
    with pytest.raises(UsageError, match="--audio_track counts the sound tracks of a video, and --audio_dir takes"):
        Request(tmp_path, tmp_path / "out", audio_dir=tmp_path, settings=track)


@pytest.mark.parametrize(
    ("video_start", "ending", "codec"),
    [(0.0, "mp4", "libx264"), (0.4, "mp4", "libx264"), (0.0, "mpg", "mpeg2video"), (0.0, "avi", "mpeg4")],
)
def test_the_published_steps_get_the_other_sound_from_the_first_picture_on(
    tmp_path: Path, video_start: float, ending: str, codec: str
) -> None:
    sound_codec = "mp2" if ending == "mpg" else "aac"
    clip = Clip(video_start=video_start, click_times=(0.9,), video_codec=codec, audio_codec=sound_codec)
    video = write_clip(tmp_path / f"v.{ending}", clip)
    sound = write_clip(tmp_path / "s.flac", Clip(video_codec=None, audio_codec="flac", click_times=CLICKS))
    joined = tmp_path / "joined.mkv"
    write_with_sound(ReferenceJob(video, StopFlag(), 60.0), sound, joined)
    media = open_media(joined)
    # Matroska keeps times in milliseconds.
    assert find_clicks(media.samples) == pytest.approx(CLICKS, abs=0.0015)
    # FFmpeg's AVI has its first gap twice.
    shown = [0, *range(50)] if ending == "avi" else list(range(50))
    assert [read_frame_number(frame) for frame in media.frames()] == shown


def test_the_published_way_scores_the_other_sound(repository: Path, test_data: Path, tmp_path: Path) -> None:
    example = test_data / "clips" / "example.avi"
    write_wav(tmp_path / "late.wav", np.concatenate([np.zeros(5 * 640, np.int16), open_media(example).samples]))
    stages = Stages(load_lite("cpu", WeightsPolicy(offline=True)), None, reference=PyavTools())
    (own,), (dubbed,) = (
        score_video(example, stages, StopFlag(), sound).tracks for sound in (None, tmp_path / "late.wav")
    )
    assert own.score is not None and dubbed.score is not None
    # Five frames of silence before it.
    assert own.score.offset_frames - dubbed.score.offset_frames == 5
    assert dubbed.score.confidence == pytest.approx(own.score.confidence, abs=0.5)


# Known and unknown


@pytest.mark.usefixtures("fake_scoring")
def test_a_changed_sound_is_scored_again_and_the_copy_stays_the_videos_own(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4", "other.mp4")
    sounds, out = make_videos(tmp_path / "dubs", "fine.wav", "poor.flac"), tmp_path / "out"
    flags = ("--audio_dir", str(sounds), *OFF)
    assert run(videos, out, *flags) == 1
    entries = entries_in(out)
    assert entries["fine.mp4"]["audio_path"] == str(sounds / "fine.wav")
    assert (entries["other.mp4"]["status"], entries["other.mp4"]["error"]) == (
        "failed", f"no sound file other.* in {sounds}",
    )  # fmt: skip
    assert entries["other.mp4"]["cure"] == "put it there, then run again"
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4", "poor_quality/poor.mp4": b"poor.mp4"}

    assert run(videos, out, *flags) == 1
    assert (results_in(out)["this_run"]["scored"], results_in(out)["this_run"]["unchanged"]) == (1, 2)
    make_videos(sounds, "other.mp3")
    os.utime(sounds / "fine.wav", ns=(1, 1))
    assert run(videos, out, *flags) == 0
    assert (results_in(out)["this_run"]["scored"], results_in(out)["this_run"]["unchanged"]) == (2, 1)
    # Against its own sound each has another score.
    assert run(videos, out, *OFF) == 0
    assert results_in(out)["this_run"]["scored"] == 3
    assert entries_in(out)["fine.mp4"]["audio_path"] is None


@pytest.mark.usefixtures("fake_scoring")
def test_the_cache_knows_a_score_by_both_contents(tmp_path: Path) -> None:
    videos, cache = make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "cache"
    one, same, other = (make_videos(tmp_path / name, "fine.wav") for name in ("one", "same", "other"))
    (other / "fine.wav").write_bytes(b"another")
    found = []
    for number, sounds in enumerate((one, same, other)):
        out = tmp_path / f"out{number}"
        run(videos, out, "--audio_dir", str(sounds), "--score_cache", str(cache))
        found.append(results_in(out)["this_run"]["found_again"])
    assert found == [0, 1, 0]


@pytest.mark.usefixtures("fake_scoring")
def test_parts_with_a_sound_file_for_each_video_are_merged(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", *(f"fine {number}.mp4" for number in range(6)))
    sounds = make_videos(tmp_path / "dubs", *(f"fine {number}.wav" for number in range(6)))
    for part in ("1/2", "2/2"):
        assert run(videos, tmp_path / "out", "--audio_dir", str(sounds), "--shard", part, *OFF) == 0
    parts = [read_part(path) for path in (tmp_path / "out").glob("shards/*/.sync_filter/ledger.jsonl")]
    assert min(len(part.known) for part in parts) > 0
    check_parts(parts)


def test_a_delayed_sound_gives_the_offset_of_the_clip_that_has_it(repository: Path, tmp_path: Path) -> None:
    late = open_media(repository / "samples" / "sound_8_frames_late.mp4")
    write_wav(tmp_path / "talk.wav", late.samples)
    scorer = SyncScorer(ScorerSettings(model="lite"))
    picture = repository / "samples" / "in_sync.mp4"
    own, dubbed = scorer.score(picture), scorer.score(picture, audio=tmp_path / "talk.wav")
    assert own.best is not None and dubbed.best is not None
    assert own.best.offset_frames - dubbed.best.offset_frames == 8
    assert dubbed.best.confidence == pytest.approx(own.best.confidence, abs=0.5)
    videos = tmp_path / "in"
    videos.mkdir()
    (videos / "talk.mp4").symlink_to(picture)
    silent = repository / "samples" / "no_sound.mp4"
    (videos / "silent.mp4").symlink_to(silent)
    (tmp_path / "dubs").mkdir()
    for name in ("talk", "silent"):
        write_wav(tmp_path / "dubs" / f"{name}.wav", np.asarray(late.samples))
    results = filter_videos(
        videos, tmp_path / "out", ScorerSettings(model="lite"), audio_dir=tmp_path / "dubs", keep_all=True,
        options=RunOptions(score_cache="off"),
    ).results  # fmt: skip
    offsets = {str(result.relative_path): result.best.offset_frames for result in results if result.best}
    assert offsets["talk.mp4"] == dubbed.best.offset_frames
    assert all(result.status != "failed" for result in results)
