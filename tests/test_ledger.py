from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from test_records import make_record

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.state import ledger as ledger_module
from syncnet.state.ledger import Ledger, look_at_ledger, open_ledger
from syncnet.subcommands.merge_ledgers import read_part, write_merged

IDENTITY = FileIdentity(12, 1_700_000_000_123_456_789)
OTHER = FileIdentity(13, 1_700_000_000_123_456_789)
PRINT = "f" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def test_a_record_stands_for_scoring_while_file_and_settings_are_the_same(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
    with open_ledger(path) as ledger:
        record = ledger.reusable("a", IDENTITY, PRINT)
        assert record is not None
        assert record.score is not None
        assert ledger.reusable("a", OTHER, PRINT) is None
        assert ledger.reusable("a", IDENTITY, "other settings") is None
        assert ledger.reusable("b", IDENTITY, PRINT) is None


def test_the_last_record_of_a_path_counts_and_earlier_ones_are_known(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        ledger.add(make_record("a", identity=OTHER, error="no sound", failure="file", score=None))
    with open_ledger(path) as ledger:
        assert ledger.records["a"].error == "no sound"
        assert list(ledger.records) == ["a"]
        assert ledger.knows("a", IDENTITY)
        assert ledger.knows("a", OTHER)
        assert not ledger.knows("a", FileIdentity(12, 0))
        assert not ledger.knows("b", IDENTITY)


@pytest.mark.parametrize("cut", [1, 2, 50])
def test_a_torn_last_line_is_cut_off_and_the_next_one_is_whole(path: Path, cut: int) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        ledger.add(make_record("b"))
    os.truncate(path, path.stat().st_size - cut)
    with open_ledger(path) as ledger:
        assert list(ledger.records) == ["a"]
        assert ledger.damaged_lines == 0
        ledger.add(make_record("c"))
    with open_ledger(path) as ledger:
        assert list(ledger.records) == ["a", "c"]
        assert ledger.damaged_lines == 0


def test_who_only_looks_leaves_half_a_line_to_the_run_that_writes_it(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        with path.open("ab") as writer:
            writer.write(b'{"kind": "video", "pa')
        before = path.read_bytes()
        with look_at_ledger(path) as seen:
            assert list(seen.records) == ["a"]
            with pytest.raises(OSError, match=r"Bad file descriptor|Invalid argument"):
                seen.add(make_record("b"))
        assert path.read_bytes() == before


def test_where_there_is_no_ledger_a_look_makes_none(path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"), look_at_ledger(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize("left", [0, 1, 10])
def test_a_torn_first_line_is_a_new_ledger(path: Path, left: int) -> None:
    with open_ledger(path):
        pass
    os.truncate(path, left)
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["ledger", "video"]


def test_damaged_lines_are_counted_and_cost_no_others(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        ledger.add(make_record("b"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"\x00\xff\n", b"[]\n", b'{"kind": "video"}\n', b"7\n", *lines[1:]]))
    with open_ledger(path) as ledger:
        assert list(ledger.records) == ["a", "b"]
        assert ledger.damaged_lines == 4


def test_a_record_whose_score_is_damaged_is_found_out_when_it_is_needed(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        ledger.add(make_record("b"))
    head, first, second = path.read_bytes().splitlines(keepends=True)
    damaged = first.replace(b'"offset_frames"', b'"offset_of_frames"')
    assert damaged != first
    path.write_bytes(head + damaged + second)
    with open_ledger(path) as ledger:
        assert ledger.reusable("a", IDENTITY, PRINT) is None
        assert ledger.records.get("a") is None
        assert ledger.damaged_lines == 1
        assert ledger.reusable("b", IDENTITY, PRINT) is not None
        # Scored again, it is whole.
        ledger.add(make_record("a"))
        assert ledger.reusable("a", IDENTITY, PRINT) is not None


def test_names_of_stray_bytes_and_kinds_of_later_versions_are_read(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.note_started("b\udcff", IDENTITY)
        ledger.add(make_record("a\udcff"))
    with path.open("ab") as writer:
        writer.write(b'{"kind": "of_tomorrow", "path": "a"}\n')
    with open_ledger(path) as ledger:
        assert list(ledger.records) == ["a\udcff"]
        assert ledger.records["a\udcff"].path == "a\udcff"
        assert ledger.under_way == {"b\udcff": IDENTITY}
        assert ledger.damaged_lines == 0


def test_what_was_under_way_at_a_kill_is_known_afterwards(path: Path) -> None:
    with open_ledger(path) as ledger:
        for name in "abc":
            ledger.note_started(name, IDENTITY)
        ledger.add(make_record("a"))
        ledger.note_given_up("b")
    with open_ledger(path) as ledger:
        assert ledger.under_way == {"c": IDENTITY}


def test_a_moved_video_stays_moved(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.note_moving("a")
    with open_ledger(path) as ledger:
        assert ledger.was_moved("a")
        assert not ledger.was_moved("b")


def test_forgetting_holds_until_the_video_is_scored_again_and_keeps_the_records(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        ledger.add(make_record("b"))
        ledger.forget()
        ledger.add(make_record("b"))
    with open_ledger(path) as ledger:
        assert ledger.reusable("a", IDENTITY, PRINT) is None
        assert ledger.reusable("b", IDENTITY, PRINT) is not None
        assert list(ledger.records) == ["a", "b"]


def test_a_disk_that_fills_up_within_a_line_leaves_the_ledger_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite

    def full(handle: int, data: bytes, place: int) -> int:
        if len(data) < 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data[: len(data) // 2], place)

    with open_ledger(path) as ledger:
        ledger.add(make_record("a"))
        before = path.read_bytes()
        monkeypatch.setattr(ledger_module.os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            ledger.add(make_record("b"))
        monkeypatch.undo()
        assert path.read_bytes() == before
        assert list(ledger.records) == ["a"]
        ledger.add(make_record("c"))
    with open_ledger(path) as ledger:
        assert list(ledger.records) == ["a", "c"]


def test_a_ledger_of_a_newer_version_is_left_alone(path: Path) -> None:
    path.write_text('{"kind": "ledger", "format": 2}\n')
    with pytest.raises(UsageError, match="written by a newer version"), open_ledger(path):
        pass
    with pytest.raises(UsageError, match="written by a newer version"):
        read_part(path)
    assert path.read_text() == '{"kind": "ledger", "format": 2}\n'


def test_a_ledger_that_cannot_be_opened_is_wrong_set_up(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="check that it can be read"), open_ledger(tmp_path):
        pass


def test_each_record_is_on_the_disk_before_the_next_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def note(_handle: int) -> None:
        synced.append(path.read_bytes().count(b"\n"))

    monkeypatch.setattr(ledger_module.os, "fsync", note)
    ledger = Ledger(path)
    ledger.add(make_record("a"))
    ledger.add(make_record("b"))
    ledger.close()
    assert synced == [1, 2, 3]


def test_whoever_reads_the_lines_comes_to_the_same(path: Path) -> None:
    with open_ledger(path) as ledger:
        for name in "abc":
            ledger.note_started(name, IDENTITY)
            ledger.add(make_record(name))
        ledger.forget()
        ledger.add(make_record("b", identity=OTHER))
        ledger.note_moving("b")
        ledger.note_started("d", IDENTITY)
        state = read_part(path)
        for name in ("known", "earlier", "under_way", "moved", "stale", "last_forget", "end"):
            assert getattr(state, name) == getattr(ledger, name), name
    assert (state.stale, state.under_way) == ({"a", "c"}, {"d": IDENTITY})
    # Alone, a part is merged to the same lines, but for what came to nothing: its order is another one.
    write_merged([state], path.with_name("merged"))
    lines, merged = (file.read_bytes().splitlines() for file in (path, path.with_name("merged")))
    came_to_nothing = [line for line in lines if b'"started"' in line and b'"d"' not in line]
    assert merged[0] == lines[0]
    assert sorted(merged) == sorted(line for line in lines if line not in came_to_nothing)
