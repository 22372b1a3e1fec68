"""How faces that speak in turns fare: ``python -m training.conversations --corpus DIR``.

Pairs of faces, each a chain of three held-out clips of 4 s, beside three kinds of sound: each face's own in turns of
5 s, the first face's throughout, and that of other clips. Nobody keeps still while the other one speaks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from syncnet.conventions import SAMPLES_PER_FRAME
from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.scoring.score import SyncScore, pair_distances, score_distances
from syncnet.scoring.speech import find_speech, without_long_pauses
from syncnet.scoring.turns import TrackTable, find_conversation
from syncnet.settings import Thresholds
from syncnet.verdict import judge
from training.corpus import add_corpus_flags
from training.figures import held_out_clips, share_of
from training.judge import TalkingClip

PAIRS = 60
CLIPS_PER_FACE = 3
CLIP_FRAMES = 100
TURN_FRAMES = 125
SEED = 0

Face = tuple[np.ndarray, np.ndarray]
"""Frame features and samples."""


def chain(clips: Sequence[TalkingClip]) -> Face:
    """The clips one after the other; a clip has features for all frames but the last two."""
    missing = 2
    own = [clip.features[: CLIP_FRAMES - missing] for clip in clips]
    parts = [np.concatenate([features, *[features[-1:]] * missing]) for features in own]
    samples = np.concatenate([clip.samples[: CLIP_FRAMES * SAMPLES_PER_FRAME] for clip in clips])
    return np.concatenate(parts)[:-missing], samples


def score_faces(model: LiteModel, faces: Sequence[Face], sound: np.ndarray) -> tuple[SyncScore, SyncScore]:
    """The best face alone, and the best with turns considered."""
    speech = find_speech(sound)
    counts = without_long_pauses(speech)
    tables, scores = [], []
    for features, _ in faces:
        embeddings = model.embed_features(features, sound, 0, len(features) + 2, counts)
        distances = pair_distances(embeddings)
        score = score_distances(distances, embeddings.metric, model, speech, embeddings.middle_frame)
        if score is None:
            raise SystemExit("a face without sound beside it")
        scores.append(score)
        tables.append(TrackTable(embeddings.middle_frame, distances, embeddings.metric, score.confidence))
    conversation = find_conversation(tables, model, speech)
    together = [*scores, conversation.score] if conversation else scores
    return _best(scores), _best(together)


def _best(scores: Sequence[SyncScore]) -> SyncScore:
    return max(scores, key=lambda score: (score.rests_on_evidence, score.confidence))


def draw_faces(clips: Sequence[TalkingClip]) -> Iterator[list[Face]]:
    """Two faces and a stranger, no clip twice."""
    rng = np.random.default_rng(SEED)
    for _ in range(PAIRS):
        drawn = rng.permutation(len(clips))[: 3 * CLIPS_PER_FACE].reshape(3, -1)
        yield [chain([clips[number] for number in numbers]) for numbers in drawn]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_corpus_flags(parser)
    options = parser.parse_args()
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    clips = [clip for clip in held_out_clips(model, options.corpus, options.cache) if clip.frame_count >= CLIP_FRAMES]
    found: dict[str, list[tuple[SyncScore, SyncScore]]] = {"in turns": [], "one speaks": [], "wrong sound": []}
    for one, other, stranger in draw_faces(clips):
        turn = np.arange(len(one[1])) // (TURN_FRAMES * SAMPLES_PER_FRAME) % 2
        sounds = (np.where(turn == 0, one[1], other[1]), one[1], stranger[1])
        for scores, sound in zip(found.values(), sounds, strict=True):
            scores.append(score_faces(model, (one, other), sound))
    for name, scores in found.items():
        for way, chosen in zip(("best face alone", "with turns"), zip(*scores, strict=True), strict=True):
            passed = share_of([judge(score, Thresholds()).passed for score in chosen])
            median = float(np.median([score.confidence for score in chosen]))
            print(json.dumps({"sound": name, "way": way, "passed": passed, "median confidence": round(median, 2)}))


if __name__ == "__main__":
    main()
