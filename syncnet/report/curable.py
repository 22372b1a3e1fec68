"""Whether a repair would help a video that does not pass, and the command that makes it."""

from __future__ import annotations

from syncnet.inputs.paths import absolute
from syncnet.placement.folders import OutputFolders
from syncnet.repair.finding import Refusal, describe, find_correction
from syncnet.report.command_line import CommandLine, line_of
from syncnet.results import VideoResult
from syncnet.system.text import printable


def describe_curable(result: VideoResult, folders: OutputFolders, command: CommandLine) -> tuple[str, str]:
    """A sentence, and the command for a shell in any folder; or why nothing would be repaired, and no command.

    ``command``: the one that filled the folder. Both are empty where the video has no score.
    """
    if result.status != "success":
        return "", ""
    found = find_correction(result)
    if isinstance(found, Refusal):
        return printable(f"a repair would leave it as it is: {found.reason}"), ""
    return f"curable: {describe(found)}", repair_line(result, absolute(folders.output_dir), command)


def repair_line(result: VideoResult, output_dir: str, command: CommandLine) -> str:
    """The command that repairs the video, from where, and started as, this one was."""
    return line_of(command, ("repair", str(result.path), "--output_dir", output_dir))
