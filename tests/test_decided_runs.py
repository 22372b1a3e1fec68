"""Runs and subcommands that obey what people decided."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from folders import entries_in, files_below, make_videos, results_in, run
from test_decisions import accept, reject, write

from syncnet import command

OFF = ("--score_cache", "off", "--report", "off")
NAMES = ["damaged.mp4", "faceless.mp4", "fine.mp4", "poor.mp4", "sub/fine.mp4"]


@pytest.fixture
def videos(tmp_path: Path, fake_scoring: None) -> Path:
    return make_videos(tmp_path / "in", *NAMES)


def placed(out: Path) -> list[str]:
    return [name for name in files_below(out) if name.endswith(".mp4")]


def test_a_persons_word_wins_and_is_told_as_such(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    said = write(tmp_path / "d", accept("poor.mp4", note="far away"), reject("sub/fine.mp4", note="a\nsong"))
    run(videos, out, "--recursive", "--decisions", str(said), *OFF)
    assert placed(out) == ["good_quality/fine.mp4", "good_quality/poor.mp4", "poor_quality/sub/fine.mp4"]
    entries = entries_in(out)
    poor, fine = entries["poor.mp4"], entries["sub/fine.mp4"]
    assert (poor["passes_quality"], poor["decision"], poor["decision_note"]) == (True, "accept", "far away")
    assert poor["quality_reasons"] == []
    assert poor["overruled_reasons"][0] == "confidence 1.2 is below 5.0"
    assert (fine["passes_quality"], fine["decision"], fine["decision_note"]) == (False, "reject", "a\nsong")
    assert fine["quality_reasons"] == ["rejected by a person: a\\nsong"]
    assert [one["passes"] for one in fine["segments"]] == [False, False], "nothing of it passes"
    assert [one["decision"] for one in fine["segments"]] == ["reject", None]
    assert entries["fine.mp4"]["decision"] is None
    document = results_in(out)
    counts = ("good_quality", "poor_quality", "accepted_by_person", "rejected_by_person")
    assert [document[name] for name in counts] == [2, 1, 1, 1]
    told = capsys.readouterr().out
    assert "by a person    2   1 accepted, 1 rejected, whatever the thresholds say" in told
    assert "poor.mp4  confidence   1.2  sound 600 ms late, accepted by a person\n" in told
    assert "    rejected by a person: a\\nsong\n" in told
    with open(out / "results.csv", newline="") as reader:
        rows = {row["relative_path"]: row for row in csv.DictReader(reader)}
    assert [rows[name]["decision"] for name in ("poor.mp4", "sub/fine.mp4", "fine.mp4")] == ["accept", "reject", ""]
    assert rows["poor.mp4"]["decision_note"] == "far away"


def test_a_decision_is_kept_and_taken_back(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out, "--recursive", *OFF)
    assert placed(out) == ["good_quality/fine.mp4", "good_quality/sub/fine.mp4", "poor_quality/poor.mp4"]
    decided = ["good_quality/poor.mp4", "good_quality/sub/fine.mp4", "poor_quality/fine.mp4"]
    said = write(tmp_path / "d", accept("poor.mp4"), reject("fine.mp4"))
    run(videos, out, "--recursive", "--decisions", str(said), *OFF)
    assert placed(out) == decided
    assert results_in(out)["this_run"]["scored"] == 0
    # No flag, other thresholds, everything scored again: what a person said stands.
    for flags in ((), ("--min_confidence", "9"), ("--rescan",)):
        run(videos, out, "--recursive", *flags, *OFF)
        assert entries_in(out)["poor.mp4"]["passes_quality"] is True
        assert entries_in(out)["fine.mp4"]["decision"] == "reject"
    # A second file adds to the first.
    run(videos, out, "--recursive", "--decisions", str(write(said, {"video": "fine.mp4", "decision": "none"})), *OFF)
    assert placed(out) == ["good_quality/fine.mp4", "good_quality/poor.mp4", "good_quality/sub/fine.mp4"]
    assert [json.loads(line)["video"] for line in (out / ".sync_filter/decisions.jsonl").open()] == ["poor.mp4"]


def test_what_does_not_count_is_told(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    wrong = {"file_size": 1, "modified_ns": 5}
    ranged = {"from": 100, "to": 200}
    said = write(
        tmp_path / "d",
        accept("faceless.mp4"), accept("damaged.mp4"), reject("gone.mp4"), accept("poor.mp4", **wrong),
        reject("fine.mp4", **ranged),
    )  # fmt: skip
    run(videos, out, "--recursive", "--decisions", str(said), *OFF)
    notices = results_in(out)["notices"]
    assert "1 decision is about no video that is known here; it waits for its video: gone.mp4." in notices
    assert "1 decision is about an earlier version of its file, and was not taken: poor.mp4." in notices
    no_score = "2 decisions are each about a video that has no score, and changes nothing: faceless.mp4, damaged.mp4."
    assert no_score in notices
    assert any(
        notice.startswith("1 decision is about a range in which no segment with speech lies") for notice in notices
    )
    assert "an earlier version of its file" in " ".join(capsys.readouterr().out.split())
    assert entries_in(out)["poor.mp4"]["decision"] is None


def test_a_decision_waits_for_its_video_and_ends_with_a_new_version(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(videos, out, "--decisions", str(write(tmp_path / "d", accept("poor_2.mp4"))), *OFF)
    make_videos(videos, "poor_2.mp4")
    run(videos, out, *OFF)
    assert entries_in(out)["poor_2.mp4"]["decision"] == "accept"
    # It is about this file from now on.
    (videos / "poor_2.mp4").write_bytes(b"another one, of another length")
    run(videos, out, *OFF)
    assert entries_in(out)["poor_2.mp4"]["passes_quality"] is False
    old = "1 decision is about an earlier version of its file, and does not count: poor_2.mp4."
    assert old in results_in(out)["notices"]
    # The old file is back, and so is what was said of it.
    (videos / "poor_2.mp4").write_bytes(os.fsencode("poor_2.mp4"))
    kept = json.loads((out / ".sync_filter" / "decisions.jsonl").read_text())
    os.utime(videos / "poor_2.mp4", ns=(0, int(kept["modified_ns"])))
    run(videos, out, *OFF)
    assert entries_in(out)["poor_2.mp4"]["passes_quality"] is True


def test_kept_decisions_that_cannot_be_read_stop_the_run(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(videos, out, *OFF)
    (out / ".sync_filter" / "decisions.jsonl").write_text("{torn")
    assert run(videos, out, *OFF) == 2
    assert "decisions.jsonl, line 1: no JSON (what earlier runs kept): mend or remove" in capsys.readouterr().err


# Other commands


def test_rejudge_obeys_what_is_kept_and_what_is_given(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, verdicts = tmp_path / "out", tmp_path / "verdicts.jsonl"
    run(videos, out, "--recursive", "--decisions", str(write(tmp_path / "d", accept("poor.mp4"))), *OFF)
    stale = accept("sub/fine.mp4", file_size=1, modified_ns=1)
    more = write(tmp_path / "e", reject("fine.mp4", note="dubbed"), stale, accept("unknown.mp4"))
    call = ["rejudge", "--output_dir", str(out), "--verdicts", str(verdicts)]
    capsys.readouterr()
    assert command.main([*call, "--decisions", str(more)]) == 0
    told = capsys.readouterr().out
    assert "by a person    2   1 accepted, 1 rejected, whatever the thresholds say" in told
    assert "waits for its video: unknown.mp4." in told and "was not taken: sub/fine.mp4." in told
    judged = {entry["path"]: entry for entry in map(json.loads, verdicts.open())}
    assert (judged["poor.mp4"]["passes_quality"], judged["poor.mp4"]["decision"]) == (True, "accept")
    assert judged["fine.mp4"]["quality_reasons"] == ["rejected by a person: dubbed"]
    # It keeps nothing.
    command.main(call)
    again = {entry["path"]: entry["decision"] for entry in map(json.loads, verdicts.open())}
    assert (again["poor.mp4"], again["fine.mp4"]) == ("accept", None)


def test_parts_obey_their_own_share_and_merge_joins_them(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = write(tmp_path / "d", accept("poor.mp4"), reject("fine.mp4"))
    for number in (1, 2):
        run(videos, out, "--recursive", "--shard", f"{number}/2", "--decisions", str(said), *OFF)
        part = out / "shards" / f"{number}-of-2"
        assert [notice for notice in results_in(part)["notices"] if "decision" in notice] == []
    parts = [str(out / "shards" / f"{number}-of-2") for number in (1, 2)]
    assert command.main(["merge", *parts, "--output_dir", str(out)]) == 0
    document = results_in(out)
    assert (document["accepted_by_person"], document["rejected_by_person"]) == (1, 1)
    run(videos, out, "--recursive", *OFF)
    assert results_in(out)["accepted_by_person"] == 1
    assert placed(out)[:1] == ["good_quality/poor.mp4"]


def test_the_command_of_the_page_does_not_give_an_old_file_again(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = write(tmp_path / "d", accept("poor.mp4"))
    run(videos, out, "--score_cache", "off", "--decisions", str(said))
    page = (out / "report.html").read_text()
    assert str(said) not in page
