"""Whether a repair would help a video that does not pass, for the page."""

from __future__ import annotations

import shlex

from syncnet.placement.folders import OutputFolders
from syncnet.repair.correction import Correction
from syncnet.repair.finding import Refusal, describe, find_correction
from syncnet.results import VideoResult
from syncnet.system.invocation import CALL
from syncnet.system.text import printable


def describe_curable(result: VideoResult, folders: OutputFolders) -> str:
    """A sentence with the command; or why nothing would be repaired. Empty where the video has no score."""
    if result.status != "success":
        return ""
    found = find_correction(result)
    if isinstance(found, Refusal):
        return printable(f"a repair would leave it as it is: {found.reason}")
    return printable(f"curable: {describe_cure(found, result, str(folders.output_dir))}")


def describe_cure(correction: Correction, result: VideoResult, output_dir: str) -> str:
    """``delay the sound by 280 ms: COMMAND``."""
    words = [*CALL, "repair", str(result.path), "--output_dir", output_dir]
    return f"{describe(correction)}: {shlex.join(words)}"
