"""Which of the two ways takes a video through the published passes."""

from __future__ import annotations

import shutil

from syncnet.reference.ffmpeg import FfmpegTools, ffmpeg_version
from syncnet.reference.pyav import PyavTools
from syncnet.reference.tools import ReferenceTools


def find_reference_tools(decode_threads: int, program: str | None = None) -> ReferenceTools:
    """The ffmpeg program where it is installed and runs, else PyAV's encoders.

    ``program``: where ffmpeg is; looked for in PATH where that is not said.
    """
    program = program or shutil.which("ffmpeg")
    version = ffmpeg_version(program) if program else None
    if program and version:
        return FfmpegTools(program, version, decode_threads)
    return PyavTools()
