"""Sound moved in every kind of file: to where it was to go, and nothing else touched."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from repair_clips import BASE, CLICKS, KINDS, packets_of, write_kind, write_rich

from syncnet.media.opening import open_media
from syncnet.repair.boxes import top_boxes
from syncnet.repair.checking import check_rest_unchanged, misplaced_ms
from syncnet.repair.copying import CannotCopyError
from syncnet.repair.correction import Correction, Step, constant
from syncnet.repair.writing import write_repaired
from syncnet.settings import SoundWay
from syncnet.system.interruption import StopFlag
from synthetic.media import find_clicks, write_clip

STAMP_MS = 1.1
"""Matroska counts in milliseconds, and drops its first stamp's part of one."""
CODEC_MS = 1.2
"""By which AAC smears a click when it is encoded again."""
CAN_SHIFT = [kind for kind in KINDS if not kind.startswith("AVI")]
EACH_WAY = [*((kind, "shift") for kind in CAN_SHIFT), *((kind, "encode") for kind in KINDS)]


def repaired(source: Path, delay_ms: float, way: SoundWay, track: int = 0) -> Path:
    target = source.with_name(f"repaired{source.suffix}")
    write_repaired(source, target, track, constant(delay_ms), way, StopFlag())
    return target


def moved_ms(source: Path, target: Path) -> list[float]:
    before, after = (find_clicks(open_media(path).samples) for path in (source, target))
    assert len(before) == len(CLICKS)
    return [1000 * (new - old) for old, new in zip(before, after, strict=True)]


@pytest.mark.parametrize("delay_ms", [-480, -125, 10, 480])
@pytest.mark.parametrize(("kind", "way"), EACH_WAY)
def test_the_sound_comes_by_so_much_later_and_the_rest_stays(
    tmp_path: Path, kind: str, way: SoundWay, delay_ms: float
) -> None:
    source = write_kind(tmp_path, kind)
    target = repaired(source, delay_ms, way)
    assert moved_ms(source, target) == pytest.approx([delay_ms] * 3, abs=STAMP_MS if way == "shift" else CODEC_MS)
    before, after = packets_of(source), packets_of(target)
    assert [(one.data, one.is_key) for one in before["video 0"]] == [(one.data, one.is_key) for one in after["video 0"]]
    assert [one.pts for one in before["video 0"]] == [one.pts for one in after["video 0"]]
    check_rest_unchanged(source, target, 0)


@pytest.mark.parametrize("kind", CAN_SHIFT)
def test_a_shift_keeps_the_packets_of_the_sound(tmp_path: Path, kind: str) -> None:
    source = write_kind(tmp_path, kind)
    before = [one.data for one in packets_of(source)["audio 0"]]
    later = [one.data for one in packets_of(repaired(source, 120, "shift"))["audio 0"]]
    assert later == before
    (tmp_path / f"repaired{source.suffix}").unlink()
    earlier = [one.data for one in packets_of(repaired(source, -120, "shift"))["audio 0"]]
    # What would be heard before the file begins is gone, in whole packets, where no edit list hides it.
    assert len(before) - 12 <= len(earlier) <= len(before)
    assert earlier == before[len(before) - len(earlier) :]


@pytest.mark.parametrize("kind", ["AVI/MP3", "AVI/PCM"])
def test_avi_cannot_say_that_a_sound_starts_later(tmp_path: Path, kind: str) -> None:
    with pytest.raises(CannotCopyError, match="AVI cannot say when a sound starts"):
        repaired(write_kind(tmp_path, kind), 120, "shift")


@pytest.mark.parametrize(
    ("name", "subtitles"), [("rich.mkv", "subrip"), ("rich.mov", None), ("rich.mp4", None), ("rich.ts", None)]
)
@pytest.mark.parametrize("way", ["shift", "encode"])
def test_names_chapters_other_sounds_subtitles_turn_and_colours_stay(
    tmp_path: Path, name: str, subtitles: str | None, way: SoundWay
) -> None:
    source = write_rich(tmp_path / name, chapters=not name.endswith(".ts"), subtitles=subtitles)
    target = repaired(source, -200, way, track=1)
    before, after = packets_of(source), packets_of(target)
    assert {"video 0", "audio 0", "audio 1", *(["subtitle 0"] if subtitles else [])} == before.keys() == after.keys()
    for stream in before.keys() - {"audio 1"}:
        assert before[stream] == after[stream], stream
    assert told(target) == told(source)
    # The colours and the turn are in the header, or in the pictures themselves.
    assert shown(target) == shown(source)
    with av.open(str(target)) as container:
        assert [stream.metadata.get("language") for stream in container.streams.audio] == languages(source)


def told(path: Path) -> list[Any]:
    """What a file says of itself and its streams."""
    with av.open(str(path)) as container:
        chapters = [(one["start"], one["end"], one["metadata"]) for one in container.chapters()]
        roles = [(stream.type, stream.disposition) for stream in container.streams]
        return [container.metadata.get("title"), chapters, roles]


def languages(path: Path) -> list[str | None]:
    with av.open(str(path)) as container:
        return [stream.metadata.get("language") for stream in container.streams.audio]


def shown(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        colours = frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc
        return [frame.rotation, stream.sample_aspect_ratio, stream.average_rate, colours, frame.to_ndarray().tolist()]


def test_every_byte_of_an_mp4_outside_its_index_stays(tmp_path: Path) -> None:
    source = write_kind(tmp_path, "MP4/AAC")
    target = repaired(source, 330, "shift")
    for box in top_boxes(source):
        if box.name != b"moov":
            twin = next(other for other in top_boxes(target) if other.name == box.name)
            assert source.read_bytes()[box.begin : box.end] == target.read_bytes()[twin.begin : twin.end]


@pytest.mark.parametrize("kind", ["MP4/AAC", "Matroska/AAC", "WebM/Opus", "MPEG-TS/MP2", "AVI/MP3"])
def test_sound_that_is_encoded_again_has_no_lower_bit_rate(tmp_path: Path, kind: str) -> None:
    noise = (np.random.default_rng(5).normal(size=3 * 48_000) * 3000).astype(np.int16)
    extension, fields = KINDS[kind]
    source = write_clip(tmp_path / f"clip.{extension}", replace(BASE, **fields), sound=noise)
    target = repaired(source, 40, "encode")
    assert codec_of(target) == codec_of(source)
    assert average_bit_rate(target) >= 0.97 * average_bit_rate(source) > 60_000


def average_bit_rate(path: Path) -> float:
    """Of the sound, by the bytes of its packets and the seconds from its first to its last."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    spoken = (packets[-1].dts + packets[-1].duration - packets[0].dts) * packets[0].time_base
    return 8 * sum(packet.size for packet in packets) / float(spoken)


def codec_of(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.codec.canonical_name


def test_lossless_sound_that_is_encoded_again_is_the_same_to_the_bit(tmp_path: Path) -> None:
    source = write_kind(tmp_path, "MOV/PCM")
    target = repaired(source, 100, "encode")
    before, after = (decoded(path) for path in (source, target))
    assert not after[:, : 4800 - 1].any()
    assert (after[:, 4800 : 4800 + before.shape[1]] == before).all()
    assert np.abs(before).max() > 10_000


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1, 2).T for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)


def test_a_sound_without_an_encoder_is_refused_by_name(tmp_path: Path) -> None:
    source = write_kind(tmp_path, "AVI/PCM", audio_codec="adpcm_ms")
    with pytest.raises(CannotCopyError, match=r"no encoder for its sound \(adpcm_ms\)"):
        repaired(source, 120, "encode")


def test_what_is_changed_beside_the_sound_is_found(tmp_path: Path) -> None:
    source = write_kind(tmp_path, "Matroska/AAC")
    other = write_kind(tmp_path / "..", "Matroska/AAC", background_bgr=(9, 9, 9))
    with pytest.raises(CannotCopyError, match="the packets of its video stream 0 do not come out as they were"):
        check_rest_unchanged(source, other, 0)
    later = write_kind(tmp_path / "..", "Matroska/AAC", video_start=0.08, title="")
    check_rest_unchanged(source, source, 0)
    titled = write_kind(tmp_path / "..", "Matroska/AAC", title="Other")
    with pytest.raises(CannotCopyError, match="of its file, the names does not come out"):
        check_rest_unchanged(source, titled, 0)
    assert later.is_file()


def test_sound_that_lies_elsewhere_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    before = (rng.normal(size=5 * 16_000) * 2000).astype(np.int16)
    after = np.concatenate([np.zeros(1600, np.int16), before])
    assert misplaced_ms(before, after, constant(100)) == pytest.approx(0, abs=0.1)
    assert misplaced_ms(before, after, constant(85)) == pytest.approx(15, abs=0.1)
    assert misplaced_ms(before, np.zeros_like(after), constant(100)) is None
    assert misplaced_ms(before, after, constant(float(Fraction(1001, 10)))) == pytest.approx(0.1, abs=0.07)


def test_a_voice_at_another_pace_is_where_the_drift_puts_it() -> None:
    """Pulses of 100 a second, now and then 1 % more or fewer, played 0.5 % slower: nothing is off by a period."""
    rate, seconds = 16_000, 20
    times = np.arange(rate * seconds) / rate
    pitch = 100 * (1 + 0.01 * np.sin(2 * np.pi * 1.3 * times))
    pulses = np.diff(np.floor(np.cumsum(pitch) / rate), prepend=0.0)
    ringing = np.exp(-np.arange(160) / 30) * np.sin(2 * np.pi * 500 * np.arange(160) / rate)
    before = (4000 * np.convolve(pulses, ringing)[: len(times)]).astype(np.int16)
    slower = np.interp(np.arange(round(1.005 * len(before))) / 1.005, np.arange(len(before)), before).astype(np.int16)
    # 5 ms more for each second of the source, which is 1.005 seconds afterwards.
    drift = Correction((Step(0.0, 0.0),), rate=5 / 1.005)
    assert misplaced_ms(before, slower, drift) == pytest.approx(0, abs=0.5)
