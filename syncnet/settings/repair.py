"""How sound that is off is put right."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Annotated, Literal

from syncnet.settings.checks import Checked, Rule

SoundWay = Literal["shift", "encode"]
"""``shift``: the packets of the sound stay, and their stamps move. ``encode``: it is decoded and encoded again."""
SOUND_WAYS: tuple[SoundWay, ...] = ("shift", "encode")


@dataclass(frozen=True)
class RepairSettings(Checked):
    """What is done to a file, once it is known by how much its sound is off."""

    repair: bool = False
    """Whether a run repairs the videos that fail only by their offset."""
    sound: Annotated[SoundWay | None, Rule(choices=SOUND_WAYS)] = None
    """None: ``shift`` where the kind of file can say it and the offset is constant, else ``encode``."""
    keep_pitch: bool = False
    """Of a drift: whether the sound keeps its pitch while its pace changes."""


def add_repair_flags(group: argparse._ActionsContainer) -> None:
    """For a parser of any command that repairs."""
    group.add_argument(
        "--sound",
        metavar="{shift,encode}",
        help="how the sound is moved. shift: its packets stay, their time stamps move; encode: decoded and encoded "
        "again, in the same codec (default: shift where the file can say it, else encode)",
    )
    group.add_argument(
        "--keep_pitch", action="store_true", help="keep the pitch where a drift is put right (default: as from a tape)"
    )
