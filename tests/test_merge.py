from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from folders import files_below, make_videos, results_in, run
from test_records import make_record

from syncnet import command
from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.state.ledger import open_ledger
from syncnet.subcommands.merge_ledgers import check_parts, read_part, write_merged
from syncnet.system.locking import hold

OFF = ("--score_cache", "off", "--report", "off")
NAMES = ["damaged.mp4", "faceless.mp4", "fine_1.mp4", "fine_2.mp4", "poor_1.mp4", "sub/fine_3.mp4", "sub/poor_2.mp4"]


@pytest.fixture
def videos(tmp_path: Path, fake_scoring: None) -> Path:
    return make_videos(tmp_path / "in", *NAMES)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run_parts(videos: Path, out: Path, *extra: str, count: int = 3) -> list[Path]:
    for number in range(1, count + 1):
        assert run(videos, out, "--recursive", "--shard", f"{number}/{count}", *OFF, *extra) in (0, 1)
    return [out / "shards" / f"{number}-of-{count}" for number in range(1, count + 1)]


def merge(parts: list[Path], out: Path) -> int:
    return command.main(["merge", *map(str, parts), "--output_dir", str(out)])


def told(out: Path) -> dict[str, Any]:
    """The results without what a run's own time and machine decide."""
    document = results_in(out)
    for name in ("timestamp", "this_run"):
        del document[name]
    for entry in document["results"]:
        del entry["processing_time"], entry["peak_memory_mb"]
        entry["placed_path"] = entry["placed_path"] and str(Path(entry["placed_path"]).relative_to(out))
    return document


@pytest.mark.parametrize("place", ["copy", "symlink"])
def test_parts_come_to_what_one_run_leaves(videos: Path, out: Path, tmp_path: Path, place: str) -> None:
    run(videos, tmp_path / "alone", "--recursive", "--place", place, *OFF)
    parts = run_parts(videos, out, "--place", place)
    assert merge(parts, out) == 0
    assert told(out) == told(tmp_path / "alone")
    segments = (out / "segments.csv").read_text()
    assert segments == (tmp_path / "alone" / "segments.csv").read_text()
    assert segments.count("\n") == 1 + 2 * 3
    for folder in ("good_quality", "poor_quality"):
        assert files_below(out / folder) == files_below(tmp_path / "alone" / folder)
        assert [files_below(part / folder) for part in parts] == [[], [], []]
    assert results_in(out)["this_run"]["scored"] == len(NAMES)


def test_the_command_goes_on_where_the_parts_ended(videos: Path, out: Path) -> None:
    merge(run_parts(videos, out), out)
    assert run(videos, out, "--recursive", *OFF) == 0
    done = results_in(out)["this_run"]
    assert (done["scored"], done["unchanged"], done["placed"]) == (0, len(NAMES), 0)


def test_files_passed_over_are_counted_once_for_each_input(videos: Path, out: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.srt"):
        (videos / name).write_text(name)
    parts = run_parts(videos, out, count=2)
    other = make_videos(tmp_path / "other", "fine_other.mp4", "d.txt")
    run(other, tmp_path / "alone", *OFF)
    assert merge([*parts, tmp_path / "alone"], tmp_path / "all") == 0
    # Both parts of the split have seen all of the first folder.
    assert results_in(tmp_path / "all")["other_endings"] == {".txt": 3, ".srt": 1}


def test_a_merge_can_be_done_again(videos: Path, out: Path) -> None:
    parts = run_parts(videos, out)
    merge(parts, out)
    before, files = told(out), files_below(out / "good_quality")
    assert merge(parts, out) == 0
    assert (told(out), files_below(out / "good_quality")) == (before, files)
    # Other thresholds: the parts make copies anew, which take the place of those of the first merge.
    assert merge(run_parts(videos, out, "--preset", "strict"), out) == 0
    assert files_below(out / "good_quality") == []
    assert files_below(out / "poor_quality") == [name for name in NAMES if "fine" in name or "poor" in name]


def test_files_that_were_moved_follow_verdicts_that_changed_after_a_merge(videos: Path, out: Path) -> None:
    # The files that have no score stay where they are.
    merge(run_parts(videos, out, "--place", "move"), out)
    assert merge(run_parts(videos, out, "--place", "move", "--preset", "strict"), out) == 0
    document = results_in(out)
    assert (document["good_quality"], document["poor_quality"], document["gone"]) == (0, 5, [])
    assert files_below(out / "good_quality") == []
    assert files_below(out / "poor_quality") == [name for name in NAMES if "fine" in name or "poor" in name]
    placed = [entry["placed_path"] for entry in document["results"] if entry["status"] == "success"]
    assert placed == [str(out / "poor_quality" / name) for name in NAMES if "fine" in name or "poor" in name]


def test_an_absent_part_is_told(videos: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = run_parts(videos, out)
    capsys.readouterr()
    assert merge(parts[1:2], out) == 0
    assert "Parts of 3 that were not merged: 1, 3." in capsys.readouterr().err
    assert results_in(out)["notices"][0] == "Parts of 3 that were not merged: 1, 3."
    # What is there must not go with a later merge of other parts.
    assert merge(parts[:1], out) == 2
    assert "videos that are in none of the parts" in capsys.readouterr().err


@pytest.mark.parametrize("parts", [["abc"], ["ab", "c"]])
def test_scores_of_different_settings_do_not_mix(tmp_path: Path, parts: list[str]) -> None:
    paths = [tmp_path / f"{names}.jsonl" for names in parts]
    for path, names in zip(paths, parts, strict=True):
        with open_ledger(path) as ledger:
            for name in names:
                ledger.add(make_record(name, fingerprint="1" if name == "c" else "2"))
    with pytest.raises(UsageError, match="scores of different settings, models or versions cannot be compared"):
        check_parts([read_part(path) for path in paths])
    # What a rescan has forgotten will be scored anew, and mixes with nothing.
    with open_ledger(paths[-1]) as ledger:
        ledger.forget()
    check_parts([read_part(path) for path in paths])


def test_verdicts_of_different_thresholds_do_not_mix(
    videos: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = run_parts(videos, out)
    run(videos, out, "--recursive", "--shard", "2/3", "--max_abs_offset", "4", *OFF)
    assert merge(parts, out) == 2
    assert "differ in max_abs_offset" in capsys.readouterr().err


def test_two_videos_of_one_name_do_not_mix(
    tmp_path: Path, fake_scoring: None, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make_videos(tmp_path / "one", "a.mp4"), make_videos(tmp_path / "two", "a.mp4")
    os.utime(two / "a.mp4", (1, 1))
    run(one, tmp_path / "out_1", *OFF)
    run(two, tmp_path / "out_2", *OFF)
    assert merge([tmp_path / "out_1", tmp_path / "out_2"], tmp_path / "out") == 2
    assert f"a.mp4 differs between {tmp_path / 'out_2'}" in capsys.readouterr().err
    assert files_below(tmp_path / "out_1" / "good_quality") == ["a.mp4"]


def test_a_part_at_work_is_waited_for(videos: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = run_parts(videos, out)
    with hold(parts[1] / ".sync_filter" / "lock"):
        assert merge(parts, out) == 75
    assert f"another run is using {parts[1]}" in capsys.readouterr().err


def test_a_file_in_the_way_is_left_and_told(videos: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = run_parts(videos, out)
    foreign = make_videos(out / "good_quality", "fine_1.mp4") / "fine_1.mp4"
    foreign.write_bytes(b"precious")
    capsys.readouterr()
    assert merge(parts, out) == 1
    assert foreign.read_bytes() == b"precious"
    assert "fine_1.mp4: could not be moved: another file is in its place" in capsys.readouterr().err
    assert files_below(out / "good_quality") == ["fine_1.mp4", "fine_2.mp4", "sub/fine_3.mp4"]


def test_what_is_no_part_is_wrong_usage(videos: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = run_parts(videos, out)
    assert merge([out.parent], out) == 2
    assert merge([out / "nowhere"], out) == 2
    assert merge([*parts, out], out) == 2
    (parts[0] / "sync_filter_results.json").write_text("{}")
    assert merge(parts, out) == 2
    (parts[0] / "sync_filter_results.json").unlink()
    assert merge(parts, out) == 2
    none, nowhere, itself, no_results, not_ended = capsys.readouterr().err.splitlines()[-5:]
    assert "is not an output folder of this tool" in none
    assert "is not an output folder of this tool" in nowhere
    assert "is one of the parts" in itself
    assert "is not a results file" in no_results
    assert "wait until the run of this part ends" in not_ended


def test_names_of_any_bytes_are_merged(tmp_path: Path, fake_scoring: None, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "stray\udcff.mp4", "ä.mp4")
    assert merge(run_parts(videos, out, count=2), out) == 0
    assert [Path(entry["video_path"]).name for entry in results_in(out)["results"]] == ["stray\udcff.mp4", "ä.mp4"]
    assert files_below(out / "good_quality") == ["stray\udcff.mp4", "ä.mp4"]


def test_what_one_part_forgot_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    with open_ledger(paths[0]) as ledger:
        for name in ("a1", "a2"):
            ledger.add(make_record(name))
        ledger.forget()
        ledger.add(make_record("a2"))
        ledger.note_started("a1", FileIdentity(1, 2))
    with open_ledger(paths[1]) as ledger:
        ledger.note_started("b", FileIdentity(1, 2))
        ledger.add(make_record("b"))
        ledger.note_moving("b")
    write_merged([read_part(path) for path in paths], tmp_path / "c.jsonl")
    identity = make_record().identity
    with open_ledger(tmp_path / "c.jsonl") as merged:
        assert merged.damaged_lines == 0
        assert [bool(merged.reusable(name, identity, "f" * 64)) for name in ("a1", "a2", "b")] == [False, True, True]
        assert set(merged.records) == {"a1", "a2", "b"}
        assert merged.under_way == {"a1": FileIdentity(1, 2)}
        assert (merged.was_moved("b"), merged.was_moved("a1")) == (True, False)


def test_keepsakes_go_along(videos: Path, out: Path) -> None:
    parts = run_parts(videos, out)
    shutil.rmtree(parts[0] / ".sync_filter" / "keepsakes", ignore_errors=True)
    (parts[0] / ".sync_filter" / "keepsakes").mkdir()
    (parts[0] / ".sync_filter" / "keepsakes" / "ab.npz").write_bytes(b"pictures")
    merge(parts, out)
    assert (out / ".sync_filter" / "keepsakes" / "ab.npz").read_bytes() == b"pictures"
    assert json.loads((out / ".sync_filter" / "models.json").read_text())["model"]["name"] == "fake"
