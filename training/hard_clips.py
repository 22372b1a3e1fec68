"""What the embedded model says of real clips of hard cases: profiles, dubs, a sentence that others say too.

    python -m training.hard_clips --clips DIR --weights_dir DIR_WITH_YUNET

training/hard_clips.tsv names each clip with its source, its case and its person; DIR holds the files. What they show
and which of them count was decided by looking at them, before any was scored. Each is judged at the default
thresholds: as a file, by everything that the filter does, and its longest face track in windows of 4 s, where one face
is all that it shows.
``sentence``: what is said, where several persons say it. Each of their faces is also judged with the sound of each of
the others, laid so that both begin to speak in the same frame.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.registry import resolve_detector
from syncnet.conventions import SAMPLES_PER_FRAME
from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.results import VideoResult
from syncnet.scorer import SyncScorer
from syncnet.scoring.score import SyncScore
from syncnet.scoring.speech import find_speech
from syncnet.settings import ScorerSettings, Thresholds
from syncnet.verdict import judge
from training.evaluate import WINDOW_FRAMES, read_clip
from training.figures import scored_windows, share_of
from training.judge import TalkingClip, score_clip
from weights import WeightsPolicy

HARD_CLIPS_FILE = Path(__file__).with_name("hard_clips.tsv")
DUBBED = "dubbed"
FILM_CASES = {DUBBED, "the dubbed films as they were"}
"""Cuts, listeners and faces in the background: the longest track need not be who speaks."""
NEAR_ZERO_FRAMES = 2
"""A recording as its page shows it as the original is taken to be in sync within these."""

Outcome = tuple[bool, bool]
"""Whether the offset is near zero, and whether it passes."""


@dataclass(frozen=True)
class HardClip:
    file: str
    sha256: str
    case: str
    person: str
    sentence: str
    """Empty where nobody else says it."""


@dataclass(frozen=True)
class Reading:
    result: VideoResult
    track: TalkingClip | None
    """The longest."""


@dataclass(frozen=True)
class Row:
    """What is printed of a case."""

    name: str
    clips: int
    persons: int
    windows: Sequence[Outcome]
    files: Sequence[Outcome]
    in_sync: bool
    """Whether there is an offset to find."""


def read_table() -> list[HardClip]:
    with HARD_CLIPS_FILE.open(newline="") as table:
        names = HardClip.__dataclass_fields__
        return [HardClip(**{name: row[name] for name in names}) for row in csv.DictReader(table, delimiter="\t")]


def changed_files(folder: Path, clips: Iterable[HardClip]) -> list[str]:
    """Names of those that are missing or are other files than the table's."""
    return [
        clip.file
        for clip in clips
        if not (folder / clip.file).is_file()
        or hashlib.sha256((folder / clip.file).read_bytes()).hexdigest() != clip.sha256
    ]


def pairs_of(clips: Sequence[HardClip], *, same_person: bool) -> Iterator[tuple[HardClip, HardClip]]:
    """Each face with each other clip in which its sentence is said: by another person, or by the same once more."""
    for face, sound in itertools.permutations(clips, 2):
        same_sentence = face.sentence and face.sentence == sound.sentence
        if same_sentence and (face.person == sound.person) == same_person:
            yield face, sound


def begin_together(own: np.ndarray, own_first: int, other: np.ndarray, other_first: int) -> np.ndarray:
    """Other samples, as many as the own ones: what they say from frame ``other_first`` on begins at ``own_first``."""
    shift = (own_first - other_first) * SAMPLES_PER_FRAME
    begin, skipped = max(shift, 0), max(-shift, 0)
    taken = other[skipped : skipped + len(own) - begin]
    placed = np.zeros_like(own)
    placed[begin : begin + len(taken)] = taken
    return placed


def with_other_sound(model: LiteModel, face: TalkingClip, sound: TalkingClip) -> SyncScore | None:
    first, other_first = (int(np.argmax(find_speech(clip.samples))) for clip in (face, sound))
    placed = begin_together(face.samples, first, sound.samples, other_first)
    return score_clip(model, TalkingClip(face.name, face.features, placed))


def outcome_of(score: SyncScore | None) -> Outcome:
    if score is None:
        return False, False
    return abs(score.offset_frames) <= NEAR_ZERO_FRAMES, judge(score, Thresholds()).passed


def outcome_of_file(result: VideoResult) -> Outcome:
    if result.best is None or result.verdict is None:
        return False, False
    return abs(result.best.offset_frames) <= NEAR_ZERO_FRAMES, result.verdict.passed


def row_of_case(model: LiteModel, case: str, clips: Sequence[HardClip], read: Mapping[str, Reading]) -> Row:
    tracks = [] if case in FILM_CASES else [read[clip.file].track for clip in clips]
    windows = [outcome_of(score) for track in tracks if track for score in scored_windows(model, track, WINDOW_FRAMES)]
    files = [outcome_of_file(read[clip.file].result) for clip in clips]
    return Row(case, len(clips), len({clip.person for clip in clips}), windows, files, case != DUBBED)


def row_of_pairs(
    model: LiteModel, name: str, pairs: Sequence[tuple[HardClip, HardClip]], read: Mapping[str, Reading]
) -> Row:
    outcomes = []
    for face, sound in pairs:
        lips, voice = read[face.file].track, read[sound.file].track
        if lips and voice:
            outcomes.append(outcome_of(with_other_sound(model, lips, voice)))
    faces = {face for face, _ in pairs}
    return Row(name, len(faces), len({face.person for face in faces}), [], outcomes, in_sync=False)


def line_of(row: Row) -> str:
    cells = [row.name, str(row.clips), str(row.persons)]
    for outcomes in (row.windows, row.files):
        cells.append(_share([near for near, _ in outcomes]) if row.in_sync else "-")
        cells.append(_share([passed for _, passed in outcomes]))
    return f"| {' | '.join(cells)} |"


def _share(outcomes: Sequence[bool]) -> str:
    if not outcomes:
        return "-"
    low, high = share_of(outcomes)["interval"]  # type: ignore[misc]
    # Adding 0 makes 0.0 of the -0.0 that rounding may leave.
    return f"{sum(outcomes)} of {len(outcomes)} ({low + 0:.0%} .. {high:.0%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--clips", type=Path, required=True, help="folder of the files that training/hard_clips.tsv names"
    )
    parser.add_argument("--weights_dir", type=Path, help="folder of YuNet's file")
    parser.add_argument("--each", action="store_true", help="print the score of each clip too")
    options = parser.parse_args()
    clips = read_table()
    changed = changed_files(options.clips, clips)
    if changed:
        parser.error(f"not in {options.clips} as the table has them: {', '.join(changed)}")
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    weights = WeightsPolicy(options.weights_dir)
    detector = resolve_detector("yunet", weights)
    scorer = SyncScorer(ScorerSettings(model="lite", detector="yunet", weights=weights), workers=1)
    read = {
        clip.file: Reading(scorer.score(path), read_clip(path, model, detector))
        for clip in clips
        for path in [options.clips / clip.file]
    }
    if options.each:
        print_each(clips, read)
    print("| case | clips | persons | windows near zero | windows pass | files near zero | files pass |")
    print("|---|---:|---:|---|---|---|---|")
    for case in dict.fromkeys(clip.case for clip in clips):
        of_case = [clip for clip in clips if clip.case == case]
        print(line_of(row_of_case(model, case, of_case, read)), flush=True)
        for name, same_person in (("another person's sound", False), ("the same person's other take", True)):
            pairs = list(pairs_of(of_case, same_person=same_person))
            if pairs:
                print(line_of(row_of_pairs(model, f"{case}: {name}", pairs, read)), flush=True)


def print_each(clips: Sequence[HardClip], read: Mapping[str, Reading]) -> None:
    for clip in clips:
        result = read[clip.file].result
        told = f"{result.best.offset_frames:+d}\t{result.best.confidence:.2f}" if result.best else f"-\t{result.status}"
        print(f"{clip.file}\t{clip.case}\t{told}\t{outcome_of_file(result)[1]}", flush=True)


if __name__ == "__main__":
    main()
