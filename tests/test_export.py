"""The lists that ``export`` writes, as other programs read them."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from fakes import IN_SYNC, INFO, OFF_SCREEN, failed, judged, make_run, make_score, successful

from syncnet import command
from syncnet.report.results import build_results
from syncnet.takeaway.editors import editing_rate

POOR = dataclasses.replace(IN_SYNC, start_seconds=70.0, end_seconds=3671.5, confidence=3.0)
TALK = dataclasses.replace(
    successful("talks/a & <b> --> c.mp4", make_score(7.0, 1)),
    over_time=judged(IN_SYNC, POOR, OFF_SCREEN),
    info=dataclasses.replace(INFO, source_fps=25.0, duration_seconds=4000.0),
)
NTSC = dataclasses.replace(
    successful("ntsc.mp4", make_score(7.0, 1)),
    over_time=judged(dataclasses.replace(IN_SYNC, start_seconds=1.001, end_seconds=121.0)),
    info=dataclasses.replace(INFO, source_fps=29.97003, duration_seconds=200.0),
)
UNSEEN = dataclasses.replace(successful("b.mp4", make_score(1.0)), over_time=judged(OFF_SCREEN))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    (folder / ".sync_filter").mkdir(parents=True)
    document = build_results(make_run([TALK, NTSC, UNSEEN, failed("broken.mp4")]))
    (folder / "sync_filter_results.json").write_text(json.dumps(document))
    return folder


def export(out: Path, wanted: str, *extra: str) -> Path:
    assert command.main(["export", "--output_dir", str(out), "--format", wanted, *extra]) == 0
    return out / "export"


def test_csv_has_the_segments_that_pass(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(export(out, "csv") / "segments.csv", newline="", encoding="utf-8") as reader:
        rows = list(csv.DictReader(reader))
    assert [(row["relative_path"], row["from"], row["to"]) for row in rows] == [
        ("talks/a & <b> --> c.mp4", "1.0", "4.0"), ("ntsc.mp4", "1.0", "121.0"),
    ]  # fmt: skip
    assert capsys.readouterr().out == f"2 segments of 2 videos: {out}/export/segments.csv\n"
    with open(export(out, "csv", "--segments", "all") / "segments.csv", newline="", encoding="utf-8") as reader:
        assert [row["kind"] for row in csv.DictReader(reader)] == [
            "speech",
            "speech",
            "off_screen",
            "speech",
            "off_screen",
        ]


def test_json_lines_name_the_video_and_have_the_fields_of_the_results(out: Path) -> None:
    lines = (export(out, "jsonl", "--segments", "all") / "segments.jsonl").read_text().splitlines()
    first, second, *rest = map(json.loads, lines)
    assert first["video_path"] == "in/talks/a & <b> --> c.mp4"
    assert (first["from"], first["to"], first["confidence"], first["box"]) == (1.0, 4.0, 7.123, [10, 21, 110, 141])
    assert second["reasons"] == ["confidence 3.0 is below 5.0"]
    assert len(rest) == 3


def test_parquet_is_read_by_pyarrow(out: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    rows = parquet.read_table(export(out, "parquet") / "segments.parquet").to_pylist()
    assert [(row["video_path"], row["to"]) for row in rows] == [
        ("in/talks/a & <b> --> c.mp4", 4.0),
        ("in/ntsc.mp4", 121.0),
    ]


def read_timeline(path: Path, adapter: str, **how: Any) -> Any:
    opentimelineio = pytest.importorskip(
        "opentimelineio", reason="opentimelineio is not installed: pip install -r requirements-editors.txt"
    )
    return opentimelineio.adapters.read_from_file(str(path), adapter, **how)


def test_a_timeline_has_picture_and_sound_of_each_range(out: Path) -> None:
    folder = export(out, "otio", "--segments", "all") / "otio"
    timeline = read_timeline(folder / "talks" / "a & <b> --> c.mp4.otio", "otio_json")
    assert [track.kind for track in timeline.tracks] == ["Video", "Audio"]
    for track in timeline.tracks:
        ranges = [(clip.source_range.start_time, clip.source_range.end_time_exclusive()) for clip in track]
        assert [(start.value, end.value, end.rate) for start, end in ranges] == [
            (25, 100, 25), (1750, round(3671.5 * 25), 25), (round(4.5 * 25), 175, 25),
        ]  # fmt: skip
    clip = timeline.tracks[0][0]
    assert clip.media_reference.target_url == f"{Path.cwd().as_uri()}/in/talks/a%20%26%20%3Cb%3E%20--%3E%20c.mp4"
    assert clip.media_reference.available_range.duration.to_seconds() == 4000
    assert clip.metadata["sync_filter"]["confidence"] == 7.123


def test_an_edit_list_is_in_time_codes_of_the_file(out: Path) -> None:
    folder = export(out, "edl") / "edl"
    text = (folder / "ntsc.mp4.edl").read_text()
    # 30 frames after 0 is 00:00:01;00. 121 s are frame 3626; two minutes of drop-frame code leave out 4 numbers of
    # 3600, so it is number 3630, 30 after 2:00.
    assert "00:00:01;00 00:02:01;00" in text
    (event,) = read_timeline(folder / "ntsc.mp4.edl", "cmx_3600", rate=30000 / 1001).tracks[0]
    assert (event.source_range.start_time.value, event.source_range.duration.value) == (30, 3596)
    assert event.name.startswith("ntsc.mp4 1.00-121.00 passes: confidence 7.1, sound 40 ms early")


@pytest.mark.parametrize(
    ("source_fps", "rate"),
    [(29.97003, 30000 / 1001), (23.976, 24000 / 1001), (25.0, 25.0), (60.0, 60.0), (17.3, 25.0), (None, 25.0)],
)
def test_the_rate_is_a_usual_one(source_fps: float | None, rate: float) -> None:
    assert editing_rate(source_fps) == rate


def test_a_browser_reads_the_cues(out: Path, chromium: Any) -> None:
    path = export(out, "webvtt", "--segments", "all") / "webvtt" / "talks" / "a & <b> --> c.mp4.vtt"
    assert (out / "export" / "webvtt" / "b.mp4.vtt").exists()
    page = chromium.new_page()
    try:
        page.set_content("<video><track default kind='metadata'></video>")
        cues = page.evaluate(
            """text => new Promise((done, fail) => {
                const track = document.querySelector("track");
                track.onload = () => done([...track.track.cues].map(c => [c.startTime, c.endTime, c.text]));
                track.onerror = () => fail(new Error("not read"));
                track.track.mode = "hidden";
                track.src = URL.createObjectURL(new Blob([text], {type: "text/vtt"}));
            })""",
            path.read_text(),
        )
    finally:
        page.close()
    # Players sort by start.
    assert cues == [
        [1, 4, "passes: confidence 7.1, sound 40 ms early"],
        [4.5, 7, "off screen: no face is seen"],
        [70, 3671.5, "does not pass: confidence 3.0, sound 40 ms early (confidence 3.0 is below 5.0)"],
    ]


def test_what_is_missing_is_said_with_its_cure(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command.main(["export", "--output_dir", str(tmp_path / "none"), "--format", "csv"]) == 2
    assert "give the --output_dir of an earlier run" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert command.main(["export", "--output_dir", str(out), "--format", "edl"]) == 2
    assert "pip install 'opentimelineio>=0.17,<1' 'otio-cmx3600-adapter>=1,<2'" in capsys.readouterr().err
    monkeypatch.undo()
    (out / "sync_filter_results.json").write_text('{"results": [{"video_path": "a", "relative_path": "a"}]}')
    assert command.main(["export", "--output_dir", str(out), "--format", "jsonl"]) == 2
    assert "is of a version without segments" in capsys.readouterr().err
    assert not (out / "export").exists()


def test_a_folder_of_somebody_else_is_left_alone(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "export").mkdir()
    (out / "export" / "segments.csv").write_text("mine")
    assert command.main(["export", "--output_dir", str(out), "--format", "csv"]) == 2
    assert "was not written by this tool" in capsys.readouterr().err
    assert (out / "export" / "segments.csv").read_text() == "mine"
