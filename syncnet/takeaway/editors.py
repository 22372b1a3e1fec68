"""Ranges as a timeline that editing programs open: OpenTimelineIO's own format, and CMX 3600 edit lists (EDL).

The ranges of a video follow each other, as an editor wants what was selected. Optional:
``pip install -r requirements-editors.txt``.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from syncnet.conventions import FPS
from syncnet.errors import UsageError
from syncnet.system.text import printable
from syncnet.takeaway.ranges import Range, RangedVideo

if TYPE_CHECKING:
    from opentimelineio.schema import Clip, Timeline

INSTALL = "pip install 'opentimelineio>=0.17,<1' 'otio-cmx3600-adapter>=1,<2'"
_USUAL_RATES = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48.0, 50.0, 60000 / 1001, 60.0)
_RATE_TOLERANCE = 0.0005
_METADATA = "sync_filter"


def check_editors() -> None:
    """Raises UsageError where a library is missing."""
    if any(importlib.util.find_spec(name) is None for name in ("opentimelineio", "otio_cmx3600_adapter")):
        raise UsageError("the formats otio and edl need opentimelineio and its EDL adapter", cure=INSTALL)


def format_otio(video: RangedVideo) -> str:
    """OpenTimelineIO's JSON, with a picture and a sound track; every clip has the segment's fields as metadata."""
    import opentimelineio

    return str(opentimelineio.adapters.write_to_string(_timeline(video, ("Video", "Audio")), "otio_json"))


def format_edl(video: RangedVideo) -> str:
    """A CMX 3600 list of the picture, whose sound goes with it. 29.97 and 59.94 fps have drop-frame time codes."""
    import opentimelineio

    timeline = _timeline(video, ("Video",))
    return str(opentimelineio.adapters.write_to_string(timeline, "cmx_3600", rate=editing_rate(video.source_fps)))


def editing_rate(source_fps: float | None) -> float:
    """The usual rate that a file has; 25 where it has none of them, as a file whose frames come at no rate."""
    usual = (rate for rate in _USUAL_RATES if source_fps and abs(source_fps - rate) < _RATE_TOLERANCE * rate)
    return next(usual, float(FPS))


def _timeline(video: RangedVideo, kinds: tuple[str, ...]) -> Timeline:
    import opentimelineio

    timeline = opentimelineio.schema.Timeline(printable(str(video.relative_path)))
    for kind in kinds:
        track = opentimelineio.schema.Track(kind=kind)
        track.extend([_clip(video, one) for one in video.ranges])
        timeline.tracks.append(track)
    return timeline


def _clip(video: RangedVideo, one: Range) -> Clip:
    import opentimelineio

    rate = editing_rate(video.source_fps)

    def time_range(start: float, end: float) -> Any:
        first, last = round(start * rate), round(end * rate)
        time = opentimelineio.opentime.RationalTime
        return opentimelineio.opentime.TimeRange(time(first, rate), time(max(1, last - first), rate))

    media = opentimelineio.schema.ExternalReference(video.url, time_range(0.0, video.duration_seconds))
    return opentimelineio.schema.Clip(
        f"{printable(video.relative_path.name)} {one.start_seconds:.2f}-{one.end_seconds:.2f} {one.summary}",
        media_reference=media,
        source_range=time_range(one.start_seconds, one.end_seconds),
        metadata={_METADATA: one.fields},
    )
