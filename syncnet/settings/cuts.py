"""Which ranges of the videos are cut out as clips of their own, and how."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from syncnet.errors import UsageError
from syncnet.settings.checks import Checked, Rule, parts_of

Cut = Literal["none", "passing", "all"]
CUT: tuple[Cut, ...] = ("none", "passing", "all")
"""``all``: also segments that do not pass, speech without a match, and speech without a face."""


@dataclass(frozen=True)
class CutOptions(Checked):
    """What goes to ``OUTPUT_DIR/segments``."""

    cut: Cut = "none"
    copy: Annotated[bool, Rule(flag="cut_copy")] = False
    """Without encoding, from key frame to key frame."""
    face_px: Annotated[
        int | None, Rule("an even number of pixels from 32 to 2048", least=32, most=2048, flag="cut_face")
    ] = None
    """Side of square face clips, which are cut besides; None: there are none."""
    without_offset: Annotated[bool, Rule(flag="cut_offset")] = False
    """Each segment's offset is taken out of its sound."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.face_px is not None and self.face_px % 2:
            raise UsageError(f"--cut_face {self.face_px}", cure="give an even number of pixels: H.264 has no other")
        flags = {"--cut_copy": self.copy, "--cut_face": self.face_px, "--cut_offset": self.without_offset}
        for flag, given in flags.items():
            if given and self.cut == "none":
                raise UsageError(f"{flag} says how clips are cut, and none are", cure="add --cut passing or --cut all")

    @classmethod
    def of_flags(cls, given: Mapping[str, Any]) -> CutOptions:
        """From the values of flags by name; others are left alone. Raises UsageError."""
        return cls(**{part.name: given[part.flag] for part in parts_of(cls)})


def add_cut_flags(group: argparse._ActionsContainer) -> None:
    """For a parser of any command that cuts."""
    group.add_argument(
        "--cut",
        metavar=f"{{{','.join(CUT)}}}",
        default=CutOptions().cut,
        help="cut the passing segments, or all, into clips OUTPUT_DIR/segments/NAME/FROM-TO.mp4, exact to frame and "
        "sample (H.264, CRF 18; AAC, 96 kbit/s a channel), with a line each in segments/manifest.jsonl "
        "(default %(default)s)",
    )
    group.add_argument(
        "--cut_copy",
        action="store_true",
        help="cut without encoding: from the key frame at or before the start to the one at or after the end",
    )
    group.add_argument(
        "--cut_face",
        type=int,
        metavar="PX",
        help="also write FROM-TO_face.mp4: a square clip of the face with this side, which follows it smoothly",
    )
    group.add_argument(
        "--cut_offset", action="store_true", help="move the sound of each clip so that the offset of its segment is 0"
    )
