"""Edit lists of MP4 and MOV: stretches of a stream's media in the order in which they are shown.

One stretch is FFmpeg's own affair, but for its start. Several of them it places by decoding times, which is wrong by
the depth of reordering, and sound by whole packets; so those syncnet.media.decoder follows, stretch by stretch.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from syncnet.media.file import IGNORE_EDITS, opened, picture_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

MOST_PACKETS = 1000
"""So many are looked at for the first one that is shown: an edit begins at most a group of pictures behind a key."""


def may_hide_pictures(path: Path, container: InputContainer) -> bool:
    """Whether an edit list may begin amid the pictures of the file, by its index."""
    if "mp4" not in container.format.name or IGNORE_EDITS in container.container_options:
        return False
    # A file in fragments may have no index.
    index = picture_stream(container, path).index_entries
    return len(index) == 0 or index[0].is_discard


def picture_shift(path: Path, container: InputContainer) -> Fraction:
    """Seconds by which FFmpeg stamps the pictures too early, where some are hidden; reads ``container`` from its start.

    A cut without encoding keeps the pictures from the key frame on, and an edit list hides those before the cut.
    FFmpeg leaves out the picture that the cut goes through, and moves all others so that the next one comes at
    once (``min_corrected_pts`` in libavformat/mov.c), by less than a picture's time. The same file read
    without that correction tells by how much.
    """
    hidden, shown = None, None
    for packet in _pictures(path, container):
        if not packet.is_discard:
            shown = packet
            break
        hidden = packet
    if hidden is None or shown is None or shown.pts is None:
        # Nothing lies before the edit: its start is that of the media, which writers state in more ways than one.
        return Fraction(0)
    with opened(path, advanced_editlist="0") as plain:
        # The edit is zero there.
        plain.seek(0, stream=picture_stream(plain, path))
        for packet in _pictures(path, plain):
            if packet.pos == shown.pos and packet.pts is not None:
                shift = (packet.pts - shown.pts) * packet.time_base
                picture_seconds = max(hidden.duration or 0, packet.duration or 0) * packet.time_base
                return shift if 0 < shift < picture_seconds else Fraction(0)
    return Fraction(0)


def _pictures(path: Path, container: InputContainer) -> Iterator[Packet[VideoStream]]:
    stream = picture_stream(container, path)
    try:
        for count, packet in enumerate(container.demux(stream)):
            if packet.size == 0 or count == MOST_PACKETS:
                return
            yield packet
    except av.error.InvalidDataError:
        return
