"""Frozen dataclasses <-> plain JSON values, by their type hints, so that a new field of a score is stored too."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """The value in what JSON knows: dataclasses as objects, tuples and arrays as lists, no number as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return [to_plain(item) for item in value]
    if isinstance(value, np.floating):
        # Nine digits bring a float32 back to the last bit.
        return to_plain(float(f"{value:.9g}"))
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a record")


def from_plain(kind: type[T], value: Any) -> T:
    """The dataclass that ``to_plain`` took apart. Unknown fields are left out, absent ones take their default.

    A null where a number belongs comes back as NaN. Raises ValueError for anything that does not fit.
    """
    return typing.cast(T, _revived(kind, value))


def _revived(kind: Any, value: Any) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        (inner,) = (part for part in parts if part is not type(None))
        return _revived(inner, value)
    if origin is tuple:
        items = _list(value)
        kinds = [parts[0]] * len(items) if len(parts) == 2 and parts[1] is ... else list(parts)
        if len(kinds) != len(items):
            raise ValueError(f"{len(items)} values where {len(kinds)} belong")
        return tuple(_revived(part, item) for part, item in zip(kinds, items, strict=True))
    if dataclasses.is_dataclass(kind):
        return _revived_dataclass(typing.cast(type, kind), value)
    if kind is np.ndarray:
        return np.array([math.nan if item is None else float(item) for item in _list(value)], np.float32)
    return _simple(kind, value, parts)


def _simple(kind: Any, value: Any, choices: tuple[Any, ...]) -> Any:
    if typing.get_origin(kind) is typing.Literal:
        if value not in choices:
            raise ValueError(f"{value!r} is none of {choices}")
        return value
    if kind is float:
        if value is None:
            return math.nan
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    elif kind in (int, str, bool) and type(value) is kind:
        return value
    raise ValueError(f"{value!r} where {kind} belongs")


def _revived_dataclass(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"no fields of {kind.__name__}")
    hints, required = _fields_of(kind)
    missing = required - value.keys()
    if missing:
        raise ValueError(f"{kind.__name__} without {', '.join(sorted(missing))}")
    return kind(**{name: _revived(hint, value[name]) for name, hint in hints.items() if name in value})


@functools.cache
def _fields_of(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Types of the fields, and the names of those without a default. Working the hints out anew is slow."""
    hints, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    plain = dataclasses.MISSING
    required = frozenset(f.name for f in fields if f.default is plain and f.default_factory is plain)
    return {field.name: hints[field.name] for field in fields}, required


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    return value
