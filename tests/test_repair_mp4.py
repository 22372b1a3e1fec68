"""Edit lists of MP4, worked out by hand."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from repair_clips import write_kind

from syncnet.media.opening import open_media
from syncnet.repair.boxes import OddIndexError, changed, find_box, inner_boxes, need_box, read_index, top_boxes, wrap
from syncnet.repair.index import EMPTY, Entry, moved_edits, read_edits, with_edits, with_places
from syncnet.repair.mp4 import is_whole, move_in_index
from synthetic.media import find_clicks
from synthetic.mp4_edits import set_edits

SCALE, MEDIA_SCALE = 1000, 48_000


def moved(entries: list[Entry], delay: float) -> list[tuple[int, int]]:
    return [
        (one.ticks, one.media_start)
        for one in moved_edits(entries, Fraction(str(delay)), SCALE, MEDIA_SCALE)
    ]  # fmt: skip


def test_a_delay_is_a_pause_in_front() -> None:
    assert moved([Entry(3000, 0)], 0.2) == [(200, EMPTY), (3000, 0)]
    assert moved([Entry(100, EMPTY), Entry(3000, 0)], 0.2) == [(300, EMPTY), (3000, 0)]
    assert moved([Entry(3000, 0)], 0) == [(3000, 0)]


def test_a_delay_first_uses_what_the_encoder_put_before() -> None:
    # 1024 samples are 21.3 ms: the sound begins that much earlier, and waits for the rest.
    assert moved([Entry(3000, 1024)], 0.2) == [(179, EMPTY), (3021, 0)]
    assert moved([Entry(3000, 1024)], 0.01) == [(3010, 544)]
    # What was cut off is no lead: it stays hidden.
    assert moved([Entry(3000, 48_000)], 0.2) == [(200, EMPTY), (3000, 48_000)]


def test_an_advance_takes_from_the_front() -> None:
    assert moved([Entry(3000, 1024)], -0.5) == [(2500, 1024 + 24_000)]
    assert moved([Entry(300, EMPTY), Entry(3000, 0)], -0.2) == [(100, EMPTY), (3000, 0)]
    assert moved([Entry(300, EMPTY), Entry(3000, 0)], -0.3) == [(3000, 0)]
    assert moved([Entry(300, EMPTY), Entry(3000, 0)], -0.5) == [(2800, 9600)]
    assert moved([Entry(200, 0), Entry(3000, 96_000)], -0.5) == [(2700, 96_000 + 14_400)]
    with pytest.raises(OddIndexError, match="its sound would be gone"):
        moved([Entry(300, 0)], -0.5)


def header(*, long: bool) -> bytes:
    """A tkhd of track 7 with a length of 5 ticks."""
    if long:
        return struct.pack(">B3xQQIIQ", 1, 0, 0, 7, 0, 5) + bytes(60)
    return struct.pack(">B3xIIIII", 0, 0, 0, 7, 0, 5) + bytes(60)


@pytest.mark.parametrize("long", [False, True])
def test_an_edit_list_is_written_as_it_is_read(long: bool) -> None:
    track = wrap(b"tkhd", header(long=long)) + wrap(b"mdia", b"")
    entries = [Entry(200, EMPTY), Entry(3000, 2**31 if long else 1024)]
    edited = with_edits(track, entries)
    assert [name for name, _ in inner_boxes(edited)] == [b"tkhd", b"edts", b"mdia"]
    assert read_edits(edited, SCALE) == entries
    assert struct.unpack_from(">Q" if long else ">I", need_box(edited, b"tkhd"), 28 if long else 20) == (3200,)


def test_places_of_media_are_moved_in_both_forms_of_their_table() -> None:
    table = wrap(b"stco", struct.pack(">III", 0, 1, 100)) + wrap(b"co64", struct.pack(">IIQ", 0, 1, 2**33))
    movie = wrap(b"trak", wrap(b"mdia", wrap(b"minf", wrap(b"stbl", table))))
    tables = need_box(with_places(movie, lambda place: place + 7), b"trak", b"mdia", b"minf", b"stbl")
    assert struct.unpack_from(">I", need_box(tables, b"stco"), 8) == (107,)
    assert struct.unpack_from(">Q", need_box(tables, b"co64"), 8) == (2**33 + 7,)
    with pytest.raises(OddIndexError, match="too far apart"):
        with_places(movie, lambda place: place + 2**32)


def test_what_follows_the_last_box_stays() -> None:
    data = wrap(b"free", b"1") + b"\0\0\0\0"
    assert changed(data, (b"free",), lambda _: b"22") == wrap(b"free", b"22") + b"\0\0\0\0"
    assert find_box(data, b"moov") is None


@pytest.mark.parametrize("cut", [3, 20, 200])
def test_a_file_that_ends_amid_a_box_is_no_whole_one(tmp_path: Path, cut: int) -> None:
    path = write_kind(tmp_path, "MP4/AAC")
    assert is_whole(path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(OddIndexError):
        is_whole(path)


def test_a_file_in_fragments_has_no_index_of_its_own(tmp_path: Path) -> None:
    assert not is_whole(write_kind(tmp_path, "MP4 in fragments"))


@pytest.mark.parametrize("delay_ms", [-300, 160])
def test_an_edit_list_of_several_stretches_is_moved_as_a_whole(tmp_path: Path, delay_ms: int) -> None:
    # 0 to 1.2 s and 1.6 to 3 s are shown: the click at 1.9 s comes at 1.5 s.
    source = set_edits(write_kind(tmp_path, "MP4/AAC"), [(1.2, 0.0), (1.4, 1.6)])
    before = find_clicks(open_media(source).samples)
    assert before == pytest.approx([0.9, 1.5], abs=0.001)
    target = tmp_path / "moved.mp4"
    move_in_index(source, target, 2, Fraction(delay_ms, 1000))
    after = find_clicks(open_media(target).samples)
    assert after == pytest.approx([time + delay_ms / 1000 for time in before], abs=0.001)
    (index,) = (box for box in top_boxes(target) if box.name == b"moov")
    tracks = [content for name, content in inner_boxes(read_index(target, index)) if name == b"trak"]
    assert len(tracks) == 2
