"""Small clips with a known truth, as if they had been scored, for tests of cut clips."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path, PurePath
from typing import Any

import av
import numpy as np
from fakes import IN_SYNC, make_score, over_time_of, successful
from looks_fakes import make_keepsake

from syncnet.inputs.discovery import FileIdentity
from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.media.opening import open_media
from syncnet.overtime.judging import judge_over_time
from syncnet.overtime.timeline import Segment
from syncnet.placement.folders import OutputFolders
from syncnet.report.entries import describe_result
from syncnet.results import VideoResult
from syncnet.scoring.timing import Timing
from syncnet.settings import CutOptions, OverTimeSettings, Thresholds
from syncnet.system.interruption import StopFlag
from syncnet.takeaway.clips import CutJob
from syncnet.takeaway.making import Cuts, make_cuts

THRESHOLDS = Thresholds()


def segment(start: float, end: float, offset: int = 0, fine_ms: float | None = None, **fields: Any) -> Segment:
    """One that passes where its offset is small."""
    timing = None if fine_ms is None else Timing(fine_ms, (fine_ms - 5, fine_ms + 5))
    ready = {"start_seconds": start, "end_seconds": end, "offset_frames": offset, "timing": timing}
    return dataclasses.replace(IN_SYNC, **{**ready, **fields})


FIRST, SECOND = segment(0.4, 1.4, 1), segment(2.0, 3.0, 0, confidence=6.0)
POOR = segment(1.4, 2.0, confidence=3.0)


def scored(path: Path, *segments: Segment, name: str = "", thresholds: Thresholds = THRESHOLDS) -> VideoResult:
    """The file with these segments, of a face that stands still."""
    info = open_media(path).info
    result = successful(name or path.name, make_score(7.0, 0))
    return dataclasses.replace(
        result,
        path=path,
        relative_path=PurePath(name or path.name),
        info=info,
        tracks=(dataclasses.replace(result.tracks[0], frame_count=500),),
        over_time=judge_over_time(over_time_of(*segments), thresholds, OverTimeSettings(min_segment_seconds=0)),
        file_bytes=path.stat().st_size,
    )


def make_job(output_dir: Path, *results: VideoResult, **options: Any) -> CutJob:
    """As after a run on these; their keepsakes are written."""
    folders = OutputFolders(output_dir)
    folders.state_dir.mkdir(parents=True, exist_ok=True)
    for result in results:
        write_keepsake(keepsake_path(folders.state_dir, result.relative_path), make_keepsake(result))
    known = {str(result.relative_path): FileIdentity.of(result.path.stat()) for result in results}
    return CutJob(CutOptions(**{"cut": "passing", **options}), folders, known.get)


def cut(job: CutJob, *results: VideoResult, stop: StopFlag | None = None) -> Cuts:
    return make_cuts([describe_result(result) for result in results], job, stop or StopFlag(), workers=1)


def files_of(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in (out / "segments").rglob("*") if path.is_file())


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "segments" / "manifest.jsonl").read_text().splitlines()]


def told(cuts: Cuts) -> tuple[int, int, int]:
    return cuts.there, cuts.cut_now, cuts.removed


def problems(cuts: Cuts) -> str:
    return "\n".join(f"{clip}: {problem}" for clip, problem in cuts.problems)


def video_named(tmp_path: Path, video: Path, name: str) -> VideoResult:
    path = tmp_path / name
    path.write_bytes(video.read_bytes())
    return scored(path, FIRST)


@dataclasses.dataclass(frozen=True)
class Decoded:
    """A file as FFmpeg's readers give it, by its own stamps."""

    frames: list[np.ndarray]
    """BGR."""
    times: list[float]
    """Of the pictures, in seconds."""
    samples: np.ndarray
    """(S, channels) int16, from ``sound_start`` on."""
    sound_start: float
    rate: int
    fps: float


def decode(path: Path) -> Decoded:
    with av.open(str(path)) as container:
        pictures = list(container.decode(video=0))
        fps = float(container.streams.video[0].average_rate or 0)
    with av.open(str(path)) as container:
        sound = container.streams.audio[0]
        blocks, start = [], None
        resampler = av.AudioResampler("s16", sound.layout, sound.rate)
        for frame in container.decode(sound):
            start = float(frame.time) if start is None else start
            blocks += [block.to_ndarray().reshape(-1, sound.channels) for block in resampler.resample(frame)]
        rate = sound.rate
    frames = [picture.to_ndarray(format="bgr24") for picture in pictures]
    times = [float(picture.time) for picture in pictures]
    return Decoded(frames, times, np.concatenate(blocks), float(start or 0.0), rate, fps)
