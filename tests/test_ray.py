"""A cluster of two nodes on this machine, one of which is killed while it holds a video."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from folders import files_below, make_videos, plan_of, results_in, run

from syncnet import command
from syncnet.engines.conclusion import VerdictRules
from syncnet.engines.failures import ExplainedError
from syncnet.engines.serving import Score
from syncnet.engines.video import VideoJob
from syncnet.errors import TimeLimitError, UsageError
from syncnet.inputs.discovery import find_videos
from syncnet.placement.folders import prepare_folders
from syncnet.run.session import Outcome, carry_out
from syncnet.scorer import ScorerSettings, SyncScorer
from syncnet.settings import RaySettings, RunOptions, Thresholds, TrackSettings
from syncnet.state.ledger import open_ledger
from syncnet.state.records import score_to_plain
from syncnet.system.interruption import Deadline, Interrupted, StopFlag

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install -r requirements-ray.txt")
cluster_utils = pytest.importorskip("ray.cluster_utils")

from ray_fakes import load_by_name, load_holding, load_nothing  # noqa: E402 (needs Ray)

from syncnet.engines.ray_cluster import connected, count_workers  # noqa: E402
from syncnet.engines.ray_scorers import RayScorers  # noqa: E402

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parent
NODE = {"num_cpus": 1, "object_store_memory": 80 * 1024 * 1024}
LONGEST_WAIT_SECONDS = 120.0
"""Long enough for a loaded machine; nothing is asserted of time."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        # Ray Data's reports go on in a thread after these tests. It formats tracebacks, for which Python parses code,
        # and 3.11 cannot do so in two threads at once: a later test that parses failed once with a SystemError.
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
        cluster.second = cluster.add_node(**NODE)
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def settings(cluster: Any) -> Iterator[RaySettings]:
    """Connected to the cluster, whose workers find the tests' own modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        settings = RaySettings(address=cluster.address)
        with connected(settings):
            yield settings


def test_a_worker_takes_a_core_unless_told_otherwise(settings: RaySettings) -> None:
    assert count_workers(settings) == 2
    assert count_workers(RaySettings(num_cpus_per_worker=0.5)) == 4
    # Two cores lie on two nodes, and there is no GPU; a cluster that may grow is given one worker to wait for.
    assert count_workers(replace(settings, num_cpus_per_worker=2)) == 1
    assert count_workers(replace(settings, num_gpus_per_worker=1)) == 1
    # One that was started for this run never grows.
    with pytest.raises(UsageError, match="no node of the cluster has room for a worker of 2 CPUs"):
        count_workers(replace(settings, address=None, num_cpus_per_worker=2))


def test_what_becomes_of_a_video_is_as_in_this_process(settings: RaySettings, tmp_path: Path) -> None:
    videos = make_videos(tmp_path, "fine.mp4", "damaged.mp4", "memory.mp4", "crash.mp4", "slow.mp4")
    with RayScorers(load_by_name, settings, workers=2) as scorers:
        fine = scorers.score(videos / "fine.mp4", StopFlag())
        assert score_to_plain(fine) == score_to_plain(load_by_name()(videos / "fine.mp4", StopFlag()))
        with pytest.raises(ExplainedError, match="broken") as damaged:
            scorers.score(videos / "damaged.mp4", StopFlag())
        with pytest.raises(ExplainedError, match="not enough memory") as memory:
            scorers.score(videos / "memory.mp4", StopFlag())
        assert (damaged.value.failure, memory.value.failure) == ("file", "environment")
        with pytest.raises(TimeLimitError, match=r"it took longer than 0\.5 s"):
            scorers.score(videos / "slow.mp4", Deadline(StopFlag(), 0.5))
        with pytest.raises(ExplainedError, match="its worker died 3 times") as crash:
            scorers.score(videos / "crash.mp4", StopFlag())
        # The nodes went on, so it is the video's own fault.
        assert crash.value.failure == "crash"
        assert (videos / "crashes").read_text() == "xxx"
        assert scorers.score(videos / "fine.mp4", StopFlag()).tracks
        stop = StopFlag()
        threading.Timer(1.0, stop.stop).start()
        with pytest.raises(Interrupted):
            scorers.score(videos / "slow.mp4", stop)


def test_a_cluster_that_cannot_score_fails_each_video_with_the_cause(
    settings: RaySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncnet.engines.ray_scorers.MOST_TRIES", 1)
    with RayScorers(load_nothing, settings, workers=1) as scorers:
        for _ in range(2):
            with pytest.raises(ExplainedError, match="a worker could not be started: no model file") as told:
                scorers.score(tmp_path / "a.mp4", StopFlag())
            assert (told.value.failure, told.value.cure) == ("environment", "copy it there")


def test_the_command_on_a_cluster_says_what_it_says_alone(
    settings: RaySettings, repository: Path, tmp_path: Path
) -> None:
    # The first is fetched by whoever scores it; both nodes reach the files of this machine.
    fetched = f"local://{repository}/samples/in_sync.mp4"
    paths = [str(repository / "samples" / name) for name in ("no_face.mp4", "no_sound.mp4", "damaged.mp4")]
    manifest = tmp_path / "list.txt"
    manifest.write_text("\n".join([fetched, *paths]))
    alone, spread = tmp_path / "alone", tmp_path / "spread"
    for out, more in ((alone, ("--max_workers", "1")), (spread, ("--engine", "ray"))):
        choices = ("--model", "lite", "--detector", "lite", "--score_cache", "off", *more)
        # One is damaged and one has no sound.
        assert command.main(["--input_manifest", str(manifest), "--output_dir", str(out), *choices]) == 1
    assert sorted(entry["video_path"] for entry in _told(alone)) == sorted([fetched, *paths])
    assert _told(spread) == _told(alone)
    for folder in ("good_quality", "poor_quality"):
        assert files_below(spread / folder) == files_below(alone / folder)
    assert files_below(spread / "good_quality") == [f"_elsewhere/local{repository}/samples/in_sync.mp4"]


SHORT_CLIPS = (
    "rizkiarm__LipNet__bbaf2n.mpg",
    "Hangz-nju-cuhk__Talking-Face_PC-AVS__00015.mp4",
    "deeplsd__Syncnet_Analysis__merkel_video_14.avi",
)


def test_real_clips_have_the_same_records_on_a_cluster(settings: RaySettings, test_data: Path, tmp_path: Path) -> None:
    clips = [test_data / "clips" / name for name in SHORT_CLIPS]
    if not all(clip.is_file() for clip in clips):
        pytest.skip(f"not all of {', '.join(SHORT_CLIPS)} are among the clips of {test_data}")
    (tmp_path / "in").mkdir()
    for clip in clips:
        (tmp_path / "in" / clip.name).symlink_to(clip)
    choices = ("--model", "lite", "--detector", "yunet", "--weights_dir", str(test_data / "weights"))
    alone, spread = tmp_path / "alone", tmp_path / "spread"
    for out, engine in ((alone, "threads"), (spread, "ray")):
        assert run(tmp_path / "in", out, *choices, "--score_cache", "off", "--engine", engine) == 0
    assert sorted(_records(alone)) == sorted(SHORT_CLIPS)
    assert _records(spread) == _records(alone)


def test_what_a_worker_cannot_fetch_is_tried_again_in_the_next_run(settings: RaySettings) -> None:
    with RayScorers(load_by_name, settings, workers=1) as scorers:
        for uri, words in (("local:///none.mp4", "no such file or directory"), ("no://b/a.mp4", "Protocol not known")):
            with pytest.raises(ExplainedError, match=words) as told:
                scorers.score_uri(uri, StopFlag())
            assert told.value.failure == "environment"


def test_a_pipeline_of_ray_data_scores_with_it(settings: RaySettings, repository: Path) -> None:
    pytest.importorskip("pandas", reason="Ray Data needs pandas and pyarrow: pip install 'ray[data]'")
    data = pytest.importorskip("ray.data", reason="Ray Data needs pandas and pyarrow: pip install 'ray[data]'")
    samples = [str(repository / "samples" / name) for name in ("in_sync.mp4", "no_sound.mp4")]
    choices = ScorerSettings(model="lite", detector="lite", device="cpu")
    videos = data.from_items([{"path": path, "id": number} for number, path in enumerate(samples)])
    scored = videos.map_batches(SyncScorer, fn_constructor_args=(choices,), batch_size=2, concurrency=1)
    rows = sorted(scored.take_all(), key=lambda row: row["id"])
    assert [row["path"] for row in rows] == samples
    assert [row["sync_status"] for row in rows] == ["success", "failed"]
    assert [bool(row["sync_passes"]) for row in rows] == [True, False]
    assert "no sound" in rows[1]["sync_error"]


# This one ends the second node, so it is the last one.
def test_what_a_killed_node_held_is_scored_elsewhere_and_once(
    cluster: Any, settings: RaySettings, tmp_path: Path
) -> None:
    names = [f"{number}.mp4" for number in range(8)]
    videos, notes = make_videos(tmp_path / "in", *names), tmp_path / "notes"
    notes.mkdir()
    doomed = cluster.second.node_id
    killer = threading.Thread(target=_kill_when_it_holds_a_video, args=(cluster, doomed, notes))
    killer.start()
    outcome = _carry_out(videos, tmp_path / "out", settings, partial(load_holding, doomed, notes))
    killer.join()
    assert [(result.path.name, result.status) for result in outcome.results] == [(name, "success") for name in names]
    taken_up = Counter(note.name.split(".mp4")[0] + ".mp4" for note in notes.iterdir())
    held = [note.name.split(".mp4")[0] + ".mp4" for note in notes.iterdir() if f".{doomed}." in note.name]
    assert len(held) == 1
    assert {name: taken_up[name] for name in names} == {name: 2 if name in held else 1 for name in names}
    lines = (tmp_path / "out" / ".sync_filter" / "ledger.jsonl").read_text().splitlines()
    recorded = Counter(line["path"] for line in map(json.loads, lines) if line["kind"] == "video")
    assert recorded == dict.fromkeys(names, 1)
    assert files_below(tmp_path / "out") == [f"good_quality/{name}" for name in names]


def test_without_the_cluster_it_is_wrong_set_up(monkeypatch: pytest.MonkeyPatch, settings: RaySettings) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", _refuse)
    with (
        pytest.raises(UsageError, match=r"--ray_address auto: nobody there and more: start a cluster"),
        connected(RaySettings(address="auto")),
    ):
        pass


@pytest.mark.parametrize("form", ["{}", "ray://{}"])
def test_an_address_at_which_nobody_answers_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, settings: RaySettings, form: str
) -> None:
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = form.format(f"127.0.0.1:{free.getsockname()[1]}")
        with (
            pytest.raises(UsageError, match=f"--ray_address {address}: connection refused: start a cluster"),
            connected(RaySettings(address=address)),
        ):
            pass


def _refuse(**_: object) -> None:
    raise ConnectionError("nobody there\nand more")


def _kill_when_it_holds_a_video(cluster: Any, node: str, notes: Path) -> None:
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while not (held := list(notes.glob(f"*.{node}.*"))) and time.monotonic() < ends:
        time.sleep(0.05)
    cluster.remove_node(cluster.second, allow_graceful=False)
    for note in held:
        # The node's worker may have gone with it already.
        try:
            os.kill(int(note.suffix[1:]), signal.SIGKILL)
        except ProcessLookupError:
            continue


def _carry_out(videos: Path, out: Path, settings: RaySettings, load: Callable[[], Score]) -> Outcome:
    folders = prepare_folders(videos, out, keep_all=False)
    found = find_videos(videos, recursive=False)
    with (
        RayScorers(load, settings, workers=2) as scorers,
        open_ledger(folders.state_dir / "ledger.jsonl") as ledger,
    ):
        job = VideoJob(scorers.score, "f" * 64, VerdictRules(Thresholds(), TrackSettings(), 9, folders, ledger))
        plan = plan_of(found, videos, ledger, job.fingerprint, RunOptions())
        return carry_out(plan, job, load, workers=2, isolate=False, stop=StopFlag(), on_result=lambda _: None)


def _told(out: Path) -> list[dict[str, Any]]:
    """The results without what the run's own time and place decide."""
    own = ("processing_time", "peak_memory_mb", "placed_path", "scored_at", "content")
    return [{name: value for name, value in entry.items() if name not in own} for entry in results_in(out)["results"]]


def _records(out: Path) -> dict[str, dict[str, Any]]:
    """The ledger's records by path, but for when they were made, in what time, and with how much memory."""
    lines = map(json.loads, (out / ".sync_filter" / "ledger.jsonl").read_text().splitlines())
    own = ("seconds", "peak_memory_mb", "scored_at", "content")
    return {
        line["path"]: {name: value for name, value in line.items() if name not in own}
        for line in lines
        if line["kind"] == "video"
    }
