"""The published steps by the ffmpeg program: argument lists, no shell, a time limit, and an end when the run ends."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncnet.conventions import FPS, SAMPLE_RATE
from syncnet.errors import DamagedVideoError
from syncnet.media.file import COPY_AGAIN, DEMUXERS
from syncnet.reference.tools import ALIGN_START, FRAME_PATTERN, ReferenceJob
from syncnet.system.interruption import LOOK_SECONDS

OWN_FORMATS = "avi,wav"
"""Of the files between the steps."""
VERSION_SECONDS = 20
_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error", "-y")
_ALIGNED = ("-af", f"aresample={ALIGN_START}")
_TO_WAV = ("-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", str(SAMPLE_RATE))


def ffmpeg_version(program: str) -> str | None:
    """The version, or None where the program does not run."""
    try:
        done = subprocess.run(
            [program, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").split()
    return words[2] if done.returncode == 0 and words[:2] == ["ffmpeg", "version"] and len(words) > 2 else None


@dataclass(frozen=True)
class FfmpegTools:
    """See syncnet.reference.tools.ReferenceTools."""

    program: str
    version: str
    decode_threads: int = 1

    @property
    def name(self) -> str:
        return f"ffmpeg {self.version}"

    def reencode(self, job: ReferenceJob, video: Path, avi: Path) -> None:
        # One thread for the encoder: it cuts a picture into as many slices as it has threads, so that the published
        # command gives other bytes on another machine.
        output = (*_chosen(job, video), "-qscale:v", "2", *_ALIGNED, "-r", str(FPS), "-threads", "1", _local(avi))
        self._run(job, (*self._input(video, DEMUXERS), *output))

    def write_frames(self, job: ReferenceJob, video: Path, folder: Path, quality: int | None) -> None:
        scale = () if quality is None else ("-qscale:v", str(quality))
        output = (*scale, "-threads", "1", "-f", "image2", FRAME_PATTERN)
        # The pattern stands alone: a folder's name may hold a % sign.
        self._run(job, (*self._input(video, DEMUXERS), *output), folder)

    def write_sound(self, job: ReferenceJob, video: Path, wav: Path, *, align_start: bool) -> None:
        align = _ALIGNED if align_start else ()
        self._run(job, (*self._input(video, DEMUXERS), *_chosen(job, video), *align, *_TO_WAV, _local(wav)))

    def join(self, job: ReferenceJob, silent_avi: Path, wav: Path, avi: Path) -> None:
        inputs = (*self._input(silent_avi, OWN_FORMATS), *self._input(wav, OWN_FORMATS))
        self._run(job, (*inputs, "-c:v", "copy", "-c:a", "copy", _local(avi)))

    def _input(self, path: Path, formats: str) -> tuple[str, ...]:
        # As in syncnet.media.file: a playlist would make FFmpeg read other files.
        allowed = ("-format_whitelist", formats, "-protocol_whitelist", "file")
        return (*allowed, "-threads", str(self.decode_threads), "-i", _local(path))

    def _processor_seconds(self, job: ReferenceJob) -> int:
        """A limit that the program keeps by itself, for when this process is killed and can end nothing any more."""
        return math.ceil(job.time_limit_seconds * (self.decode_threads + 1))

    def _run(self, job: ReferenceJob, arguments: Sequence[str], folder: Path | None = None) -> None:
        """Waits for the program to end, and ends it on a stop or after the job's time limit."""
        job.stop.check()
        with tempfile.TemporaryFile() as messages:
            # A session of its own: Ctrl-C on the terminal is for this process to pass on, or a child that it ended
            # would look like one that failed.
            process = subprocess.Popen(
                [self.program, *_QUIET, "-timelimit", str(self._processor_seconds(job)), *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=messages,
                start_new_session=True,
            )
            try:
                code = _wait(process, job)
            finally:
                process.kill()
                process.wait()
            if code != 0:
                messages.seek(0)
                raise _failure(job, self.name, code, messages.read().decode(errors="replace"))


def _chosen(job: ReferenceJob, video: Path) -> tuple[str, ...]:
    """The published command leaves the choice to ffmpeg: the sound with the most channels, the largest picture."""
    track = job.track_of(video)
    # A capital V is a picture that moves; "?": a call for the sound alone leaves the picture out.
    return () if track is None else ("-map", "0:V:0?", "-map", f"0:a:{track}")


def _wait(process: subprocess.Popen[bytes], job: ReferenceJob) -> int:
    deadline = time.monotonic() + job.time_limit_seconds
    while True:
        try:
            return process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            job.stop.check()
        if time.monotonic() > deadline:
            problem = f"ffmpeg did not finish within {job.time_limit_seconds:.0f} s"
            raise DamagedVideoError(problem, path=job.path, cure=COPY_AGAIN)


def _failure(job: ReferenceJob, tool: str, code: int, messages: str) -> Exception:
    if os.strerror(errno.ENOSPC) in messages:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), tempfile.gettempdir())
    if code < 0:
        return DamagedVideoError(f"{tool} was ended by signal {-code}", path=job.path, cure="run again")
    last = next((line for line in reversed(messages.splitlines()) if line.strip()), f"exit code {code}")
    return DamagedVideoError(f"{tool} failed ({last.strip()})", path=job.path, cure=COPY_AGAIN)


def _local(path: Path) -> str:
    """A name that is only ever a file: one may begin with a dash or look like an address."""
    return f"file:{path.absolute()}"
