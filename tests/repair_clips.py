"""Files of flashes and clicks in every kind of file that is repaired, and what is read of them without the repair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from synthetic.media import Clip, write_clip

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "MP4/AAC": ("mp4", {"audio_codec": "aac"}),
    "MP4 with its index in front": ("mp4", {"audio_codec": "aac", "muxer_options": (("movflags", "+faststart"),)}),
    "MP4 in fragments": ("mp4", {"audio_codec": "aac", "muxer_options": (("movflags", "frag_keyframe+empty_moov"),)}),
    "MOV/PCM": ("mov", {"audio_codec": "pcm_s16le"}),
    "MOV/ALAC": ("mov", {"audio_codec": "alac"}),
    "Matroska/AAC": ("mkv", {"audio_codec": "aac"}),
    "Matroska/Opus": ("mkv", {"audio_codec": "libopus"}),
    "Matroska/FLAC": ("mkv", {"audio_codec": "flac"}),
    "WebM/Opus": ("webm", {"video_codec": "libvpx", "audio_codec": "libopus", "video_options": ()}),
    "MPEG-TS/AAC": ("ts", {"container": "mpegts", "audio_codec": "aac"}),
    "MPEG-TS/MP2": ("ts", {"container": "mpegts", "audio_codec": "mp2"}),
    "AVI/MP3": ("avi", {"video_codec": "mpeg4", "audio_codec": "libmp3lame", "video_options": (("bf", "2"),)}),
    "AVI/PCM": ("avi", {"video_codec": "mpeg4", "audio_codec": "pcm_s16le", "video_options": (("bf", "2"),)}),
}
CLICKS = (0.9, 1.4, 1.9)
BASE = Clip(seconds=3, click_times=CLICKS, layout="stereo", video_options=(("preset", "ultrafast"), ("bf", "2")))


def write_kind(folder: Path, kind: str, **fields: Any) -> Path:
    """A clip of the kind, in sync."""
    extension, own = KINDS[kind]
    return write_clip(folder / f"clip.{extension}", replace(BASE, **{**own, **fields}))


@dataclass(frozen=True)
class OnePacket:
    """Of a stream; the times in seconds after the first picture of the file."""

    data: bytes
    pts: Fraction | None
    is_key: bool


def packets_of(path: Path) -> dict[str, list[OnePacket]]:
    """By the kind and the number of the stream, such as ``video 0``."""
    found: dict[str, list[OnePacket]] = {}
    with av.open(str(path)) as container:
        names, counts = {}, dict[str, int]()
        for stream in container.streams:
            number = counts[stream.type] = counts.get(stream.type, -1) + 1
            names[stream.index] = f"{stream.type} {number}"
        packets = [packet for packet in container.demux() if packet.size]
        zero = next(_time(packet) for packet in packets if packet.stream.type == "video")
        for packet in packets:
            pts = None if packet.pts is None else packet.pts * packet.time_base - zero
            found.setdefault(names[packet.stream_index], []).append(OnePacket(bytes(packet), pts, packet.is_keyframe))
    return found


def _time(packet: Any) -> Fraction:
    return Fraction((packet.pts if packet.pts is not None else packet.dts) * packet.time_base)


def write_rich(path: Path, *, chapters: bool = True, subtitles: str | None = None) -> Path:
    """A clip with names, chapters, two sounds in two languages, subtitles, a turned picture of marked colours."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Talk of the day"
        if chapters:
            container.set_chapters(list(_chapters()))
        picture: Any = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        context = picture.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 1, 1, 1, 1
        context.sample_aspect_ratio = Fraction(4, 3)
        picture.set_display_rotation(90)
        sounds: list[Any] = [container.add_stream("aac", rate=48_000, layout="mono") for _ in range(2)]
        for sound, language in zip(sounds, ("deu", "eng"), strict=True):
            sound.metadata["language"] = language
        sounds[1].disposition = av.stream.Disposition.comment
        words: Any = container.add_mux_stream(subtitles) if subtitles else None
        if words is not None:
            words.time_base = Fraction(1, 1000)
        for number in range(50):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 3 + 40]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
            for sound in sounds:
                container.mux(sound.encode(_tone(number)))
            if words is not None and number % 20 == 10:
                container.mux(_words(words, number))
        for stream in (picture, *sounds):
            container.mux(stream.encode(None))
    return path


def _chapters() -> Iterator[Any]:
    for number, name in enumerate(("Opening", "Close")):
        yield {"id": number, "start": 1000 * number, "end": 1000 * (number + 1), "time_base": Fraction(1, 1000),
               "metadata": {"title": name}}  # fmt: skip


def _tone(number: int) -> av.AudioFrame:
    """40 ms of a tone that grows louder."""
    import numpy as np

    seconds = np.arange(1920) / 48_000 + number / 25
    wave = (0.01 * (number + 1) * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)[None]
    frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 1920 * number, Fraction(1, 48_000)
    return frame


def _words(stream: Any, number: int) -> av.Packet:
    packet = av.Packet(f"line {number}".encode())
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = 40 * number
    packet.duration = 400
    return packet
