"""What people decided: the file, and which decision counts; runs that obey it are in test_decided_runs.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import IN_SYNC, OFF_SCREEN, judged, make_score, over_time_of
from folders import make_videos, run

from syncnet.decisions.file import read_decisions, write_decisions
from syncnet.decisions.kept import Decisions
from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.overtime.decided import Decided, DecidedRange
from syncnet.overtime.judging import judge_video
from syncnet.settings import OverTimeSettings, Thresholds
from syncnet.verdict import Decision


def write(path: Path, *decisions: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in decisions))
    return path


def accept(video: str, **more: Any) -> dict[str, Any]:
    return {"video": video, "decision": "accept", **more}


def reject(video: str, **more: Any) -> dict[str, Any]:
    return {"video": video, "decision": "reject", **more}


# The file


@pytest.mark.parametrize(
    "text",
    [
        '{"video": "a", "decision": "accept"}\n\n{"video": "b", "decision": "reject", "note": "dubbed"}\n',
        '\ufeff[{"video": "a", "decision": "accept"}, {"video": "b", "decision": "reject", "note": "dubbed"}]',
    ],
)
def test_lines_and_a_list_are_read_alike(tmp_path: Path, text: str) -> None:
    (tmp_path / "d").write_text(text, encoding="utf-8")
    first, second = read_decisions(tmp_path / "d")
    assert (first.video, first.decision, first.note, first.identity) == ("a", "accept", "", None)
    assert (second.video, second.decision, second.note) == ("b", "reject", "dubbed")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d",
        accept("stray\udcff \u2028.mp4", note="so\nlala", file_size=7, modified_ns="1700000000123456789"),
        reject("b.mp4", track=1, **{"from": 1.25, "to": 9}),
    )
    entries = read_decisions(path)
    assert entries[0].identity == FileIdentity(7, 1700000000123456789)
    assert (entries[1].start, entries[1].end, entries[1].track) == (1.25, 9.0, 1)
    write_decisions(entries, tmp_path / "again")
    assert read_decisions(tmp_path / "again") == entries


def test_an_empty_file_decides_nothing(tmp_path: Path) -> None:
    (tmp_path / "d").write_bytes(b"")
    assert read_decisions(tmp_path / "d") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "d, line 1: no JSON"),
        ('{"video": "a", "decision": "accept"}\nnonsense', "d, line 2: no JSON"),
        ("7", "d, entry 1: Expected `object`, got `int`"),
        ('[{"video": "a", "decision": "accept"}, {"video": "a"}]', "d, entry 2: Object missing required field"),
        ('{"video": 7, "decision": "accept"}', "Expected `str`, got `int` - at `$.video`"),
        ('{"video": "", "decision": "accept"}', "the name of the video is empty"),
        ('{"video": "a", "decision": "maybe"}', "Invalid enum value 'maybe'"),
        ('{"video": "a", "decision": "accept", "form": 1, "to": 2}', "Object contains unknown field `form`"),
        ('{"video": "a", "decision": "accept", "from": 1}', "`from` and `to` go together"),
        ('{"video": "a", "decision": "accept", "from": 2, "to": 1}', "`from` 2 and `to` 1 are no range of seconds"),
        ('{"video": "a", "decision": "accept", "from": NaN, "to": 1}', "`from` nan and `to` 1 are no range"),
        ('{"video": "a", "decision": "accept", "track": 1}', "goes with `from` and `to`"),
        ('{"video": "a", "decision": "accept", "file_size": 1}', "`file_size` and `modified_ns` go together"),
        ('{"video": "a", "decision": "accept", "file_size": 1, "modified_ns": "soon"}', "is no whole number"),
        ('{"video": "a", "decision": "accept", "note": "' + "x" * 2001 + '"}', "longer than 2000 characters"),
        ("[" * 100_000, "d, line 1: no JSON"),
    ],
)
def test_what_is_no_decision_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    (tmp_path / "d").write_text(text)
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out", "--decisions", str(tmp_path / "d")) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "refused before any work"


@pytest.mark.parametrize(("data", "told"), [(b"\xff", "is not a text in UTF-8"), (None, "no such file")])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, data: bytes | None, told: str) -> None:
    if data is not None:
        (tmp_path / "d").write_bytes(data)
    with pytest.raises(UsageError, match=told):
        read_decisions(tmp_path / "d")


# Whose decision it is


def test_the_last_word_on_one_thing_counts_and_none_takes_it_back(tmp_path: Path) -> None:
    said = [
        accept("a"),
        reject("a"),
        accept("b"),
        {"video": "b", "decision": "none"},
        {"video": "c", "decision": "none"},
    ]
    decisions = Decisions(read_decisions(write(tmp_path / "d", *said)))
    assert decisions.about("a", FileIdentity(1, 2)) == Decided(Decision(False))
    assert decisions.about("b", FileIdentity(1, 2)) is None
    assert len(decisions.entries) == 1


def test_a_segment_follows_the_shortest_range_that_holds_it(tmp_path: Path) -> None:
    # IN_SYNC is face 0 from 1 to 4 s.
    whole, part, other = Decision(True), Decision(False, "dubbed"), Decision(False, "the other face")
    decided = Decided(None, (DecidedRange(0, 60, whole), DecidedRange(1.01, 4, part), DecidedRange(1, 4, other, 1)))
    assert decided.of_segment(IN_SYNC) == part
    assert Decided(None, (DecidedRange(0, 3.9, whole),)).of_segment(IN_SYNC) is None
    assert Decided(part, (DecidedRange(1, 4, whole),)).of_segment(IN_SYNC) == part, "nothing of a rejected video passes"


def test_a_persons_word_on_segments_counts_for_the_sums_of_the_file() -> None:
    settings = OverTimeSettings(min_in_sync_seconds=2.0)
    over_time, score = over_time_of(IN_SYNC, OFF_SCREEN), make_score(7.0, 1)
    rules = None, over_time, Thresholds(), settings, None
    assert judge_video(score, *rules)[0].passed
    verdict, time_line = judge_video(score, *rules, Decided(None, (DecidedRange(0, 9, Decision(False, "dubbed")),)))
    assert verdict.reasons == ("in sync for 0.0 s only, 2 s are needed",)
    assert time_line is not None and time_line.in_sync_seconds == 0
    assert [one.reasons for one in time_line.segments] == [
        ("rejected by a person: dubbed",),
        ("somebody speaks, but no face is seen",),
    ]
    assert [one.decision for one in time_line.segments] == [Decision(False, "dubbed"), None]
    assert judged(IN_SYNC).segments[0].decision is None
