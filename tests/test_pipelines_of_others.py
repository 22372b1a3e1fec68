"""The examples for NeMo Curator and Data-Juicer in docs/scale-out.md, on small stand-ins of what they derive from.

The stand-ins follow the published sources (NVIDIA-NeMo/Curator, nemo_curator/stages/base.py; datajuicer/data-juicer,
data_juicer/ops/base_op.py) as far as the examples touch them: neither library is installed for this.
"""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Generic, TypeVar

import pytest
from fakes import failed, make_score, successful

from syncnet.results import VideoResult
from syncnet.scorer import SyncScorer

X = TypeVar("X")
Y = TypeVar("Y")


def code_blocks(repository: Path) -> dict[str, str]:
    """The Python of docs/scale-out.md, by the bold words of the line before it."""
    text = (repository / "docs" / "scale-out.md").read_text()
    found = re.findall(r"(?:^\*\*([^*]+)\*\*[^\n]*\n\n)?^```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return {title or "a program": code for title, code in found}


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Scores that follow from the names, in place of a scorer with models; what is scored is noted."""
    noted: list[str] = []

    def score(_: SyncScorer, path: Path | str) -> VideoResult:
        noted.append(str(path))
        if "broken" in str(path):
            return failed("broken.mp4")
        return successful("a.mp4", make_score(7.0 if "fine" in str(path) else 1.0))

    monkeypatch.setattr(SyncScorer, "score", score)
    return noted


def put_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        package = ".".join(parts[:count])
        if package not in sys.modules:
            monkeypatch.setitem(sys.modules, package, ModuleType(package))
    for member, value in members.items():
        monkeypatch.setattr(sys.modules[name], member, value, raising=False)


def test_every_example_is_python(repository: Path) -> None:
    blocks = code_blocks(repository)
    assert list(blocks) == ["a program", "Ray Data", "NeMo Curator", "Data-Juicer"]
    for code in blocks.values():
        compile(code, "scale-out.md", "exec")


class ProcessingStage(Generic[X, Y]):
    name = "ProcessingStage"
    resources: Any = None
    batch_size = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for attribute in ("name", "resources", "batch_size"):
            assert not isinstance(cls.__dict__.get(attribute), property)

    def inputs(self) -> tuple[list[str], list[str]]:
        return [], []

    def setup(self, worker_metadata: Any = None) -> None: ...

    def process_batch(self, tasks: list[Any]) -> list[Any]:
        """As the backends call it: what is None is dropped, what lacks an input is an error."""
        of_task, of_data = self.inputs()
        for task in tasks:
            assert all(hasattr(task, name) for name in of_task)
            assert all(hasattr(task.data, name) for name in of_data)
        return [result for task in tasks if (result := self.process(task)) is not None]  # type: ignore[attr-defined]


def test_the_stage_of_nemo_curator_drops_what_does_not_pass(
    repository: Path, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_module(monkeypatch, "nemo_curator.stages.base", ProcessingStage=ProcessingStage)
    put_module(monkeypatch, "nemo_curator.stages.resources", Resources=SimpleNamespace)
    put_module(monkeypatch, "nemo_curator.tasks.video", VideoTask=SimpleNamespace)
    names: dict[str, Any] = {}
    exec(code_blocks(repository)["NeMo Curator"], names)
    stage = pickle.loads(pickle.dumps(_known_by_name(names["LipSyncStage"], monkeypatch)()))
    stage.setup()
    tasks = [_task("fine.mp4"), _task("poor.mp4"), _task("broken.mp4")]
    assert stage.process_batch(tasks) == tasks[:1]
    assert scored == ["in/fine.mp4", "in/poor.mp4", "in/broken.mp4"]
    assert tasks[2].data.errors == {"lip_sync": "no sound in it"}
    assert stage.resources.cpus >= 1
    assert stage.outputs()[0] == ["data"]


def _task(name: str) -> Any:
    path = Path("in") / name
    return SimpleNamespace(data=SimpleNamespace(input_video=path, input_path=path.as_posix(), errors={}))


def _known_by_name(kind: type, monkeypatch: pytest.MonkeyPatch) -> type:
    """The class where pickle looks for it, as if the example were a module."""
    monkeypatch.setattr(kind, "__module__", __name__)
    monkeypatch.setattr(sys.modules[__name__], kind.__name__, kind, raising=False)
    return kind


class Fields:
    stats = "__dj__stats__"


class Operators:
    def __init__(self) -> None:
        self.modules: dict[str, type] = {}

    def register_module(self, name: str) -> Callable[[type], type]:
        def register(kind: type) -> type:
            self.modules[name] = kind
            return kind

        return register


class Filter:
    _batched_op = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        assert not {"compute_stats", "process"} & vars(cls).keys()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.video_key = kwargs.get("video_key", "videos")
        self.compute_stats = self.compute_stats_single  # type: ignore[attr-defined]
        self.process = self.process_single  # type: ignore[attr-defined]

    def fingerprint(self) -> bytes:
        """What the cache of results goes by: attributes that can be called are left out."""
        return pickle.dumps({name: value for name, value in vars(self).items() if not callable(value)})


def test_the_filter_of_data_juicer_keeps_what_passes(
    repository: Path, scored: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    operators = Operators()
    put_module(monkeypatch, "data_juicer.ops.base_op", OPERATORS=operators, Filter=Filter)
    put_module(monkeypatch, "data_juicer.utils.constant", Fields=Fields)
    exec(code_blocks(repository)["Data-Juicer"], {})
    kind: Any = operators.modules["lip_sync_filter"]
    operator = kind(min_confidence=4.0, video_key="clips")
    samples = [["fine.mp4"], ["fine.mp4", "poor.mp4"], ["broken.mp4"], []]
    kept = []
    for clips in samples:
        # On a GPU a rank comes second.
        sample = operator.compute_stats({"clips": clips, Fields.stats: {}}, 0)
        kept.append(bool(operator.process({Fields.stats: sample[Fields.stats]})))
    assert kept == [True, False, False, True]
    count = len(scored)
    assert operator.compute_stats(sample, context=False) == sample
    again = operator.compute_stats({"clips": ["poor.mp4"], Fields.stats: {"lip_sync_passes": [True]}})
    assert again[Fields.stats]["lip_sync_passes"] == [True]
    assert len(scored) == count
    # Other thresholds must not find the results of these in the cache.
    assert operator.fingerprint() != kind(min_confidence=5.0, video_key="clips").fingerprint()
    assert operator.fingerprint() == kind(min_confidence=4.0, video_key="clips").fingerprint()
