from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import INFO, make_score, scored
from folders import files_below, gone_in, make_videos, results_in, run
from test_records import make_record

from syncnet import command
from syncnet.faces.no_track import MissedGate, NoTrackReason
from syncnet.inputs.manifest import as_line, read_manifest
from syncnet.results import VideoScore
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.pooling import PooledScore
from syncnet.scoring.stretches import Stretch
from syncnet.scoring.turns import Conversation
from syncnet.state.ledger import open_ledger
from syncnet.state.records import VideoRecord


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out" / ".sync_filter").mkdir(parents=True)
    return tmp_path / "out"


def remember(out: Path, *records: VideoRecord) -> Path:
    path = out / ".sync_filter" / "ledger.jsonl"
    with open_ledger(path) as ledger:
        for record in records:
            ledger.add(record)
    return path


def rejudge(out: Path, *extra: str) -> list[dict[str, Any]]:
    verdicts = out.parent / "verdicts.jsonl"
    assert command.main(["rejudge", "--output_dir", str(out), "--verdicts", str(verdicts), *extra]) == 0
    return [json.loads(line) for line in verdicts.read_text().splitlines()]


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("thresholds", [("--preset", "strict"), ("--min_confidence", "1", "--max_abs_offset", "15")])
def test_verdicts_are_those_of_the_command_with_these_thresholds(tmp_path: Path, thresholds: tuple[str, ...]) -> None:
    videos = make_videos(tmp_path / "in", "damaged.mp4", "faceless.mp4", "fine.mp4", "poor.mp4")
    out = tmp_path / "out"
    run(videos, out, "--score_cache", "off")
    before = {name: (out / name).stat().st_mtime_ns for name in files_below(out)}
    rejudged = rejudge(out, *thresholds)
    assert {name: (out / name).stat().st_mtime_ns for name in files_below(out)} == before
    run(videos, out, "--score_cache", "off", *thresholds)
    names = ("status", "passes_quality", "confidence", "offset", "quality_reasons")
    told = [{name: entry[name] for name in names} for entry in results_in(out)["results"]]
    assert [{name: entry[name] for name in names} for entry in rejudged] == told
    assert [entry["path"] for entry in rejudged] == ["damaged.mp4", "faceless.mp4", "fine.mp4", "poor.mp4"]


def test_evidence_and_changing_offsets_count_as_in_a_run(out: Path) -> None:
    none = Evidence("none", "too little speech")
    moving = Evidence("strong", "", 18, 9, (OffsetPiece(0.0, 4.2, 6), OffsetPiece(3.6, 7.8, 0)))
    records = [
        make_record("a", score=scored(make_score(9.0, 0, evidence=none))),
        make_record("b", score=scored(make_score(9.0, 0, evidence=moving))),
        # The confident track without evidence does not stand before the other one.
        make_record("c", score=scored(make_score(9.0, 9, evidence=none), make_score(6.0, 1), None)),
        make_record("d", score=scored(make_score(math.nan, 0))),
        make_record("e", score=scored(make_score(3.0), make_score(2.0))),
    ]
    together = Conversation(make_score(8.0, -1), ())
    records.append(make_record("f", score=replace(scored(make_score(3.0)), conversation=together)))
    # Pieces of one face count together only; lips that do not fit much of the speech.
    pieces = scored(make_score(9.0), make_score(8.0))
    records.append(make_record("g", score=replace(pieces, pooled=(PooledScore((0, 1), make_score(4.0)),))))
    stretches = (Stretch(0.0, 6.0, 6.0, 5.9), Stretch(6.0, 10.0, 4.0, 0.1))
    partly = Evidence("strong", "", 18, 9, (), stretches, 10.0)
    records.append(make_record("h", score=scored(make_score(9.0, 0, evidence=partly))))
    remember(out, *records)
    rejudged = {entry["path"]: entry for entry in rejudge(out)}
    assert [path for path, entry in rejudged.items() if entry["passes_quality"]] == ["c", "f"]
    assert rejudged["g"]["quality_reasons"] == ["confidence 4.0 is below 5.0"]
    assert rejudged["h"]["quality_reasons"] == ["fits 0.0 - 6.0 s only: no match for 40% of the speech"]
    assert rejudged["a"]["quality_reasons"] == ["no evidence of sync (too little speech)"]
    assert rejudged["b"]["quality_reasons"] == [
        "the offset changes: +6 from 0.0 s to 4.2 s, +0 from 3.6 s to 7.8 s"
    ]  # fmt: skip
    assert (rejudged["c"]["confidence"], rejudged["c"]["offset"]) == (6.0, 1)
    assert rejudged["d"]["confidence"] is None
    assert rejudged["d"]["quality_reasons"] == ["confidence is not a number, 5.0 is needed"]
    assert (rejudged["f"]["confidence"], rejudged["f"]["offset"]) == (8.0, -1)


def test_the_last_record_of_a_video_counts(out: Path) -> None:
    failed = make_record("a", score=None, failure="file", error="no sound")
    remember(out, failed, make_record("b"), make_record("a"))
    assert [entry["status"] for entry in rejudge(out)] == ["success", "success"]
    remember(out, failed)
    assert [(entry["status"], entry["quality_reasons"]) for entry in rejudge(out)] == [
        ("failed", ["no sound"]), ("success", []),
    ]  # fmt: skip


def test_names_of_any_bytes_and_lines_of_any_kind(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = remember(out, make_record("stray\udcff.mp4"), make_record("line\nbreak.mp4"), make_record("ä b.mp4"))
    with path.open("ab") as writer:
        writer.write(b'\x00\xff\n[]\n{"kind": "video", "path": 7}\n{"kind": "given_up", "path": "x"}\n{"kind": "vid')
    passing = out.parent / "passing.txt"
    rejudged = rejudge(out, "--passing", str(passing), "--input_dir", str(out.parent / "in"))
    assert [entry["path"] for entry in rejudged] == ["line\nbreak.mp4", "stray\udcff.mp4", "ä b.mp4"]
    assert passing.read_bytes() == b"", "none of them is there"
    told = capsys.readouterr().out
    assert "Lines of the ledger that cannot be read: 3\n" in told
    assert "Videos that pass, but whose files are gone, so that the list does not name them: 3\n" in told
    rejudge(out, "--passing", str(passing))
    assert os.fsdecode(passing.read_bytes()) == '"line\\nbreak.mp4"\nstray\udcff.mp4\nä b.mp4\n'


def test_a_reason_is_told_as_a_run_tells_it_also_one_of_an_earlier_version(out: Path) -> None:
    reason = NoTrackReason(face_px=MissedGate(50, 31))
    path = remember(out, make_record("a", score=VideoScore(INFO, (), reason)), make_record("b", score=scored()))
    text = path.read_text().replace(
        '"no_track": {"face_px": null', '"no_track_reason": "no face seen", "x": {"face_px": null'
    )
    assert text.count("no_track_reason") == 1
    path.write_text(text)
    assert [(entry["status"], entry["quality_reasons"]) for entry in rejudge(out)] == [
        ("no_faces", ["only faces smaller than 50 px (largest 31 px)"]), ("no_faces", ["no face seen"]),
    ]  # fmt: skip


def test_the_counts_are_told(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remember(
        out,
        make_record("a"),
        make_record("b", score=scored(make_score(1.0))),
        make_record("c", score=scored()),
        make_record("d", score=None, failure="file", error="no sound"),
        make_record("e"),
    )
    rejudge(out)
    first, *lines, old = capsys.readouterr().out.splitlines()
    assert first.startswith("5 videos judged in ")
    assert old == (
        "Videos without a stored time line, scored by an earlier version: 3. To get their segments, run the filter on "
        "their folder again."
    )
    assert lines == ["  passes         2", "  does not pass  1", "  no face track  1", "  failed         1"]


def test_what_cannot_be_read_or_written_is_one_line(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["rejudge", "--output_dir", str(out)]) == 2
    path = remember(out, make_record("a"))
    assert command.main(["rejudge", "--output_dir", str(out), "--verdicts", str(out / "no" / "file")]) == 2
    assert command.main(["rejudge", "--output_dir", str(out), "--min_confidence", "-1"]) == 2
    path.write_text('{"kind": "ledger", "format": 99}\n')
    assert command.main(["rejudge", "--output_dir", str(out)]) == 2
    missing, unwritable, wrong, newer = capsys.readouterr().err.splitlines()
    assert missing.endswith("ledger.jsonl: no such file or directory: give the output folder of an earlier run")
    assert "cannot write" in unwritable
    assert "--min_confidence -1.0: give a number of 0 or more" in wrong
    assert "was written by a newer version of this tool" in newer


HARD_NAMES = [
    " fine.mp4",
    "fine.mp4 ",
    "fine\t.mp4\t",
    "#fine.mp4",
    '"fine.mp4"',
    "a\nfine.mp4",
    "fine \udcff.mp4 ",
    "fine.mp4",
]


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("way", ["folder", "list"])
def test_a_list_of_what_passes_names_the_same_files_again(tmp_path: Path, way: str) -> None:
    videos, out, passing = tmp_path / "in", tmp_path / "out", tmp_path / "in" / "passing.txt"
    make_videos(videos, *HARD_NAMES)
    listed = videos / "list.txt"
    listed.write_bytes(b"".join(os.fsencode(as_line(name)) + b"\n" for name in HARD_NAMES))
    inputs = ["--input_manifest", str(listed)]
    assert command.main([*inputs, "--output_dir", str(out), "--score_cache", "off"]) == 0
    assert sorted(entry["relative_path"] for entry in results_in(out)["results"]) == sorted(HARD_NAMES)
    where = [] if way == "list" else ["--input_dir", str(videos)]
    assert command.main(["rejudge", "--output_dir", str(out), "--passing", str(passing), *where]) == 0
    again = [video.path for video in read_manifest(passing)]
    assert sorted(again) == sorted(videos / name for name in HARD_NAMES)


@pytest.mark.parametrize("flag", ["--passing", "--verdicts", "--segments"])
def test_a_list_on_stdout_is_that_of_a_file_and_the_summary_goes_to_stderr(
    out: Path, capfdbinary: pytest.CaptureFixture[bytes], flag: str
) -> None:
    remember(out, make_record("fine \udcff.mp4"), make_record("poor.mp4", score=scored(make_score(1.0))))
    told = {}
    for to in (str(out / "list"), "-"):
        assert command.main(["rejudge", "--output_dir", str(out), flag, to]) == 0
        told[to] = capfdbinary.readouterr()
    assert told["-"].out == (out / "list").read_bytes() != b""
    assert b"\n  does not pass  1\n" in told["-"].err
    assert b"\n  does not pass  1\n" in told[str(out / "list")].out
    assert told[str(out / "list")].err == b""
    assert not Path("-").exists()


def test_two_lists_on_stdout_would_be_mixed(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remember(out, make_record("a"))
    assert command.main(["rejudge", "--output_dir", str(out), "--passing", "-", "--verdicts", "-"]) == 2
    assert "--verdicts - and --passing - would be mixed: give a file for all but one" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("mode", ["copy", "move"])
def test_a_list_of_what_passes_names_files_that_are_there(
    tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["fine_deleted.mp4", "fine_kept.mp4", "fine_new.mp4", "poor.mp4"]
    videos, out, passing = make_videos(tmp_path / "in", *names), tmp_path / "out", tmp_path / "passing.txt"
    run(videos, out, "--score_cache", "off", "--place", mode)
    # One is deleted everywhere, another video takes the place of another.
    for folder in (videos, out / "good_quality"):
        (folder / "fine_deleted.mp4").unlink(missing_ok=True)
    (videos / "fine_new.mp4").unlink(missing_ok=True)
    (videos / "fine_new.mp4").write_bytes(b"of the next day")
    run(videos, out, "--score_cache", "off", "--place", mode)
    moved = mode == "move"
    assert gone_in(out) == ["fine_deleted.mp4", *([] if moved else ["fine_new.mp4"])]
    arguments = ["rejudge", "--output_dir", str(out), "--passing", str(passing), "--input_dir", str(videos)]
    assert command.main(arguments) == 0
    good = out / "good_quality"
    assert passing.read_text().splitlines() == [
        str(good / "fine_kept.mp4" if moved else videos / "fine_kept.mp4"),
        *([str(good / "fine_new.mp4")] if moved else []),
        str(good / "fine_new~2.mp4" if moved else videos / "fine_new.mp4"),
    ]
    left_out = f"Videos that the last run did not find any more, and that are left out: {1 if moved else 2}\n"
    assert left_out in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--verdicts", "--segments", "--passing"])
def test_a_file_that_is_no_such_list_is_not_written_over(
    out: Path, tmp_path: Path, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(out, make_record("a.mp4"))
    target = tmp_path / "mine"
    target.write_bytes(b"\0\0\0\x1cftypisom")
    assert command.main(["rejudge", "--output_dir", str(out), flag, str(target)]) == 2
    assert "holds something else and is not written over" in capsys.readouterr().err
    assert target.read_bytes() == b"\0\0\0\x1cftypisom"
    target.unlink()
    for _ in range(2):
        assert command.main(["rejudge", "--output_dir", str(out), flag, str(target)]) == 0
    assert target.read_bytes() != b""


def pin(out: Path, model: str) -> None:
    document = {"model": {"name": model, "identity": "0" * 64}, "detector": {"name": "yunet", "identity": "1" * 64}}
    (out / ".sync_filter" / "models.json").write_text(json.dumps(document))


def test_a_limit_of_distance_counts_as_in_a_run(out: Path) -> None:
    near, far = (scored(make_score(9.0, 0, min_distance=distance)) for distance in (12.9, 13.1))
    remember(out, make_record("near", score=near), make_record("far", score=far))
    pin(out, "syncnet_v2")
    rejudged = rejudge(out, "--max_distance", "13")
    assert {entry["path"]: entry["quality_reasons"] for entry in rejudged} == {
        "far": ["distance 13.1 is above 13.0"], "near": [],
    }  # fmt: skip
    assert all(entry["passes_quality"] for entry in rejudge(out))


def test_a_limit_of_distance_is_refused_and_a_preset_of_another_network_told_where_lite_scored(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    remember(out, make_record("a"))
    pin(out, "lite")
    assert command.main(["rejudge", "--output_dir", str(out), "--max_distance", "13"]) == 2
    assert "--max_distance 13 is a distance of the published network" in capsys.readouterr().err
    assert command.main(["rejudge", "--output_dir", str(out), "--preset", "talkverse"]) == 0
    assert "The preset talkverse holds thresholds of the published network." in capsys.readouterr().out
