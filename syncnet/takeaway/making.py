"""After a run, or from what it stored: the clips that were asked for and are not there yet, and those that must go."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from syncnet.errors import VideoError
from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.inputs.remote import local_copy
from syncnet.keepsake.file import Keepsake, keepsake_path, read_keepsake
from syncnet.looks.making import describe_problem, in_threads
from syncnet.media.opening import Media, open_media
from syncnet.report.ownership import mark_folder
from syncnet.state.score_store import hash_content
from syncnet.system.interruption import StopFlag
from syncnet.system.text import masked
from syncnet.takeaway.clips import Clip, CutJob, CutVideo, cannot_write, plan_clips
from syncnet.takeaway.copying import copy_clips
from syncnet.takeaway.cutting import Drawn, cut_exactly, whole_picture
from syncnet.takeaway.face import FaceCrops
from syncnet.takeaway.manifest import MANIFEST_NAME, ClipFiles, describe_clip
from syncnet.takeaway.ranges import find_ranges

_AGAIN = "run the filter on its folder again"
OTHER_SOUND = "it was scored against a sound file, and a clip has the sound of its video"


@dataclass
class Cuts:
    """What came of it."""

    there: int = 0
    """Clips that stand there now, face clips too."""
    cut_now: int = 0
    videos: int = 0
    """That the clips are of."""
    removed: int = 0
    """Clips of segments that are no longer asked for."""
    kept: int = 0
    """The same of videos that are gone, so that nobody could cut them again."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    """Which clip, video or file, and what is wrong with it."""
    interrupted: bool = False


def make_cuts(
    entries: Sequence[dict[str, Any]],
    job: CutJob,
    stop: StopFlag,
    *,
    workers: int,
    on_done: Callable[[object], object] = bool,
) -> Cuts:
    """``entries``: those of a results document; what passes in them is cut. ``on_done`` is called for each video.

    What could not be cut is a problem, and stops nothing. Raises KeyError or TypeError where the document is of a
    version without segments.
    """
    folder, cuts = job.folders.segments_dir, Cuts()
    try:
        folder.mkdir(exist_ok=True)
        mark_folder(folder)
    except OSError as error:
        return Cuts(problems=[(str(folder), describe_problem(cannot_write(folder, error)))])
    own = [entry for entry in entries if not entry.get("audio_path")]
    planned = plan_clips(find_ranges(own, "passing" if job.options.cut == "passing" else "all"), job)
    files = ClipFiles(job.folders)
    outcome = in_threads(planned, partial(_cut_video, job=job, files=files, stop=stop), workers, on_done)
    cuts.interrupted = outcome.interrupted
    for video, problems, count in outcome.done:
        cuts.cut_now += count
        cuts.problems += [(_label(video, clip), problem) for clip, problem in problems]
    cuts.problems += [(str(video.video.relative_path), problem) for video, problem in outcome.problems]
    cuts.problems += [(entry["relative_path"], OTHER_SOUND) for entry in entries if entry.get("audio_path")]
    cuts.problems = [(label, f"not cut: {problem}") for label, problem in sorted(cuts.problems)]
    # Of what failed, earlier clips stay as they are, as placed copies do.
    at_hand = {one["relative_path"]: not one["missing"] for one in entries if one["status"] != "failed"}
    # Clips of a video that has another name by now are cut again under that.
    contents = {entry.get("content") for entry in entries}
    if not cuts.interrupted:
        _remove_stale(at_hand, contents, planned, files, folder, cuts)
    clips = [(video, clip) for video in planned for clip in video.clips if files.stands(clip)]
    cuts.there, cuts.videos = len(clips), len({id(video) for video, _ in clips})
    try:
        files.write_manifest(planned, list(files.lines_of_others(at_hand)))
    except OSError as error:
        cuts.problems.append((MANIFEST_NAME, describe_problem(cannot_write(folder / MANIFEST_NAME, error))))
    files.save()
    return cuts


def _label(video: CutVideo, clip: Clip) -> str:
    return f"{video.video.relative_path}: {clip.target.name}"


def _cut_video(
    cut: CutVideo, *, job: CutJob, files: ClipFiles, stop: StopFlag
) -> tuple[CutVideo, list[tuple[Clip, str]], int]:
    """Cuts what is not there yet. Comes back with the clips that could not be cut, and why, and how many could."""
    stop.check()
    problems: list[tuple[Clip, str]] = []

    def fail(clip: Clip, error: Exception) -> None:
        problems.append((clip, describe_problem(error)))

    missing = [clip for clip in cut.clips if not files.stands(clip)]
    for clip in list(missing):
        try:
            _refuse_foreign(clip, files)
        except VideoError as error:
            fail(clip, error)
            missing.remove(clip)
    if missing:
        with _at_hand(cut, job, stop) as path:
            _cut_from(path, cut, missing, job, stop, fail)
    return cut, problems, sum(map(files.stands, missing))


def _refuse_foreign(clip: Clip, files: ClipFiles) -> None:
    """Raises VideoError where a file stands that this tool did not cut, or that another clip has."""
    target = clip.target
    if clip.rival is not None:
        raise VideoError(f"another segment has the name {clip.rival}", path=target, cure="rename its video")
    if os.path.lexists(target) and files.facts(target) is None:
        raise VideoError(f"{target} was not cut by this tool", path=target, cure="move it away, then run again")


def _cut_from(
    path: Path,
    cut: CutVideo,
    clips: Sequence[Clip],
    job: CutJob,
    stop: StopFlag,
    on_failed: Callable[[Clip, Exception], None],
) -> None:
    digest = hash_content(path, stop)
    settings = replace(job.media, audio_track=cut.video.audio_track)
    media = open_media(path, threads=job.threads, settings=settings, stop=stop)
    # Boxes are in pixels of the size that was scored, which may be that of pictures further on.
    width, height = cut.video.size_px
    media = replace(media, info=replace(media.info, width=width, height=height))

    def describe(clip: Clip, begun: Fraction) -> str:
        return describe_clip(clip, begun, str(cut.video.relative_path), digest)

    keepsake = read_keepsake(keepsake_path(job.folders.state_dir, cut.video.relative_path))
    drawn = []
    for clip in clips:
        try:
            if clip.how != "copy":
                drawn.append(_drawn(clip, cut, media, keepsake))
        except VideoError as error:
            on_failed(clip, error)
    copied = [clip for clip in clips if clip.how == "copy"]
    if copied:
        try:
            copy_clips(media, copied, describe, stop, on_failed)
        except VideoError as error:
            for clip in copied:
                on_failed(clip, error)
    if drawn:
        cut_exactly(media, drawn, describe, stop, on_failed)


def _drawn(clip: Clip, cut: CutVideo, media: Media, keepsake: Keepsake | None) -> Drawn:
    """Raises VideoError."""
    if clip.how == "exact":
        return whole_picture(clip, media)
    if keepsake is None or len(keepsake.tracks) != cut.video.tracks:
        problem = "the boxes of its faces were not kept when it was scored"
        raise VideoError(problem, path=media.path, cure="score it with --rescan")
    track = keepsake.tracks[clip.one.fields["track"]]
    crops = FaceCrops(track.first_frame, track.boxes, cut.video.size_px, clip.face_px)
    return Drawn(clip, (clip.face_px, clip.face_px), crops.picture)


@contextmanager
def _at_hand(cut: CutVideo, job: CutJob, stop: StopFlag) -> Iterator[Path]:
    """The file that was scored, or a copy of it: a remote one is fetched. Raises VideoError where there is none."""
    video = cut.video
    remote = "://" in video.location
    places = [Path(place) for place in ("" if remote else video.location, video.placed) if place]
    changed = False
    for place in filter(os.path.exists, places):
        if cut.identity is None or cut.identity.is_of_copy(FileIdentity.of(place.stat())):
            yield place
            return
        changed = True
    uri = job.uris.get(str(video.relative_path), video.location)
    if remote and cut.identity is not None:
        file = VideoFile(Path(uri), video.relative_path, cut.identity.size, cut.identity.mtime_ns, uri=uri)
        with local_copy(file, stop) as copy:
            yield copy.file
        return
    name = masked(video.location)
    if changed:
        raise VideoError(f"{name} has changed since it was scored", path=video.location, cure=_AGAIN)
    raise VideoError(f"{name} is gone", path=video.location, cure=f"put it back, or {_AGAIN}")


def _remove_stale(
    at_hand: Mapping[str, bool],
    contents: Container[str | None],
    planned: Sequence[CutVideo],
    files: ClipFiles,
    folder: Path,
    cuts: Cuts,
) -> None:
    """Clips that nobody asks for any more. ``at_hand``: for the videos that are told of, whether their file is; of one
    that is gone they stay. ``contents``: digests of the files of those."""
    wanted = {clip.target for video in planned for clip in video.clips}
    for parent, _, names in os.walk(folder, topdown=False):
        for path in (Path(parent) / name for name in names if name.endswith(".mp4")):
            facts = None if path in wanted else files.facts(path)
            if facts is None or not (facts["video"] in at_hand or facts["sha256"] in contents):
                continue
            if at_hand.get(facts["video"], True):
                with contextlib.suppress(OSError):
                    path.unlink()
                    cuts.removed += 1
            else:
                cuts.kept += 1
        if Path(parent) != folder:
            with contextlib.suppress(OSError):
                os.rmdir(parent)
