"""What was measured beside the goals, as Markdown, for benchmarks/speed.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One goal."""

    what: str
    goal: str
    measured: str
    met: bool | None
    """None where this machine cannot tell."""
    binds: str = ""
    """What stands in the way, or what takes the time now."""


def goal_rows(figures: dict[str, Any]) -> list[Row]:
    """A row for each goal that was measured, in the order of the measurements."""
    rows = []
    if networks := figures.get("networks"):
        rows += _network_rows(networks, figures["machine"]["bfloat16"])
    if whole := figures.get("whole_720p"):
        rows += [_whole_row(whole["published"], ours, precision) for precision, ours in whole["ours"].items()]
    if folder := figures.get("folder_720p"):
        speed = folder["video_seconds"] / folder["seconds"]
        rows.append(
            Row(
                "720p, lite and YuNet, two workers",
                ">= 4 x faster than it plays",
                f"{speed:.1f} x",
                speed >= 4,
                "decoding and faces, see the stages",
            )
        )
    rows += _memory_rows(figures.get("memory", {}))
    rows += _beside_rows(figures.get("beside", {}))
    if wall := figures.get("wall"):
        times = wall["played"] / wall["wall"]
        measured = f"{times:.1f} x"
        rows.append(Row("720p, by the wall", ">= 15 x faster than it plays", measured, times >= 15, "looks for faces"))
    rows += _long_faces_rows(figures.get("long_faces", {}))
    if start := figures.get("start"):
        rows.append(Row("`--help`", "< 0.3 s", f"{start['help']:.2f} s", start["help"] < 0.3))
        first = start["first_frame"]
        rows.append(Row("first frame, models loaded", "< 4 s", f"{first:.1f} s", first < 4, "importing torch"))
    if known := figures.get("known"):
        videos, seconds = known["videos"], known["seconds"]
        rows.append(Row(f"{videos:,} known videos", "10,000 in < 5 s", f"{seconds:.1f} s", seconds < videos / 2000))
    if workers := figures.get("workers"):
        ratio = workers["2"]["seconds"] / workers["4"]["seconds"]
        # What is within the noise of two runs is no loss.
        rows.append(Row("four workers on two cores", "no slower than two", f"{ratio:.2f} x as fast", ratio >= 0.95))
    return rows


def _network_rows(networks: dict[str, Any], has_bfloat16: bool) -> list[Row]:
    lips, s3fd = networks["lips"], networks["s3fd"]
    published = lips["published"]["items_per_second"]
    rows = []
    for precision, least_ratio, least_share in (("float32", 1.7, 0.90), ("bfloat16", 3.7, 0.85)):
        what = f"lip stream of syncnet_v2, {precision}"
        goal = f">= {least_ratio} x published, >= {least_share:.0%} of the best product"
        if precision == "bfloat16" and not has_bfloat16:
            rows.append(Row(what, goal, "not measured", None, "this processor has no bfloat16 products"))
            continue
        rate, share = lips[precision]["items_per_second"], lips[precision]["share_of_product"]
        measured = f"{rate:.1f} windows/s, {rate / published:.2f} x ({published:.1f}), {share:.0%}"
        met = rate / published >= least_ratio and share >= least_share
        rows.append(Row(what, goal, measured, met, "the convolutions of torch, which are slower than its products"))
    rate, share = s3fd["float32"]["items_per_second"], s3fd["float32"]["share_of_product"]
    single = s3fd["published"]["items_per_second"]
    measured = f"{rate:.1f} frames/s, {rate / single:.2f} x ({single:.1f}), {share:.0%}"
    rows.append(Row("s3fd at 320 x 180, in batches", "as near the product", measured, share >= 0.85, "the product"))
    return rows


def _whole_row(published: dict[str, Any], ours: dict[str, Any], precision: str) -> Row:
    ratio = published["seconds"] / ours["seconds"]
    least = 10 if precision == "bfloat16" else 5
    stages = ours["stages"]
    largest = sorted(stages, key=lambda name: -float(stages[name]))[:2]
    binds = ", ".join(f"{name} {stages[name] / ours['seconds']:.0%}" for name in largest)
    return Row(
        f"whole 720p video, syncnet_v2 and s3fd, faces of 100 px, {precision}",
        f">= {least} x the published way",
        f"{ratio:.1f} x ({published['seconds']:.1f} s, {ours['seconds']:.1f} s)",
        ratio >= least,
        binds,
    )


def _memory_rows(memory: dict[str, Any]) -> list[Row]:
    rows = []
    for height, (short, long) in memory.items():
        minutes = (long["video_seconds"] - short["video_seconds"]) / 60
        slope = (long["peak_mb"] - short["peak_mb"]) / minutes
        above = long["peak_mb"] - long["models_mb"]
        measured = (
            f"{above:.0f} MB above the models after {long['video_seconds'] / 60:.1f} min, {slope:+.1f} MB a minute"
        )
        two_hours = above + slope * (120 - long["video_seconds"] / 60)
        binds = f"2 h by the slope: {two_hours:.0f} MB; sound is 2 MB a minute"
        rows.append(Row(f"memory, {height}", "flat, <= 1 GB", measured, two_hours <= 1024 and slope < 10, binds))
    return rows


BESIDE_GOALS: dict[str, tuple[float, float | None]] = {
    "720p": (0.40, 2.5),
    "1080p": (0.40, 1.8),
    "360p": (0.55, None),
    "folder": (0.50, None),
}
"""Most process seconds, as shares of those of the earlier build and of decoding alone."""


def _beside_rows(beside: dict[str, Any]) -> list[Row]:
    rows = []
    for name, figures in beside.items():
        most_of_earlier, most_of_decoding = BESIDE_GOALS[name]
        this, earlier, decoding = (figures[build]["seconds"] for build in ("this", "earlier", "decoding"))
        if name == "folder":
            this, earlier = (figures[build]["seconds"] + figures[build]["start"] for build in ("this", "earlier"))
        measured = f"{this:.1f} s: {this / earlier:.2f} x the earlier build"
        goal, met = f"<= {most_of_earlier:.2f} x the earlier build", this <= most_of_earlier * earlier
        if most_of_decoding is not None:
            goal += f", {most_of_decoding} x decoding"
            measured += f", {this / decoding:.2f} x decoding"
            met = met and this <= most_of_decoding * decoding
        rows.append(Row(f"process seconds, {name}, lite, default detector", goal, measured, met, "looks for faces"))
    return rows


def _long_faces_rows(held_mb: dict[str, float]) -> list[Row]:
    if not held_mb:
        return []
    (short, first), *_, (long, last) = held_mb.items()
    growth = (last - first) / (float(long) - float(short)) * 60
    measured = f"{first:.0f} MB for {short} minutes, {last:.0f} MB for {long}: {growth:.0f} MB an hour"
    met = growth <= 20 and last <= 700
    binds = "the distances of each lip, 11 MB an hour for a face, and copies of them at its end"
    return [Row("memory, four faces without a cut", "<= 20 MB an hour, <= 700 MB", measured, met, binds)]


def format_report(figures: dict[str, Any]) -> str:
    """Both tables."""
    machine = figures["machine"]
    lines = [
        (
            f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}; best float32 product "
            f"{machine['product_gflops']:.0f} GFLOP/s; load before the run {machine['load']:.1f}."
        ),
        "",
        "| what | goal | measured | met | what binds |",
        "|---|---|---|---|---|",
    ]
    for row in goal_rows(figures):
        met = {True: "yes", False: "**no**", None: "-"}[row.met]
        lines.append(f"| {row.what} | {row.goal} | {row.measured} | {met} | {row.binds} |")
    videos = figures.get("videos", {})
    if videos:
        lines += ["", *_stage_table(videos)]
    return "\n".join(lines) + "\n"


def _stage_table(videos: dict[str, Any]) -> list[str]:
    """Milliseconds a frame of each stage, one column a video."""
    names = sorted({name for video in videos.values() for name in video["stages"]})
    lines = ["Milliseconds a frame:", "", f"| stage | {' | '.join(videos)} |", f"|---|{'---:|' * len(videos)}"]
    for name in names:
        cells = [f"{1000 * video['stages'].get(name, 0) / video['frames']:.1f}" for video in videos.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    for title, cells in (
        ("all", [f"{1000 * video['seconds'] / video['frames']:.1f}" for video in videos.values()]),
        ("frames a second", [f"{video['frames'] / video['seconds']:.1f}" for video in videos.values()]),
        (
            "seconds a second of video",
            [f"{video['seconds'] / video['video_seconds']:.2f}" for video in videos.values()],
        ),
        ("peak memory, MB", [f"{video['peak_mb']:.0f}" for video in videos.values()]),
    ):
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines
