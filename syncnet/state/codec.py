"""Frozen dataclasses <-> plain JSON values, by their type hints, so that a new field of a score is stored too."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import numpy as np

from syncnet.system.plain import read_json

T = TypeVar("T")
Reader = Callable[[Any], Any]


def to_plain(value: Any) -> Any:
    """The value in what JSON knows: dataclasses as objects, tuples and arrays as lists, no number as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in _stored_fields(value)}
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
    reader = _reader(typing.cast(Any, kind))
    return typing.cast(T, reader(value))


def from_json(kind: type[T], text: bytes) -> T:
    """As ``from_plain``, from JSON: in a fifth of the time, but for values with no number where one belongs."""
    try:
        return typing.cast(T, _decoder(typing.cast(Any, kind)).decode(text))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return from_plain(kind, read_json(text))


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=_array_hook)


def _array_hook(kind: Any, value: Any) -> Any:
    if kind is np.ndarray:
        return _read_array(value)
    raise NotImplementedError(f"{kind} has no place in a record")


@functools.cache
def _reader(kind: Any) -> Reader:
    """What makes values of one kind. Type hints are slow to look at, so that is done once and not for each value."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (_reader(part) for part in parts if part is not type(None))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        return _list_reader(_reader(parts[0])) if parts[1:] == (...,) else _tuple_reader([_reader(p) for p in parts])
    if origin is typing.Literal:
        return functools.partial(_read_choice, parts)
    if dataclasses.is_dataclass(kind):
        return _dataclass_reader(typing.cast(type, kind))
    if kind is np.ndarray:
        return _read_array
    if kind is float:
        return _read_float
    return functools.partial(_read_simple, kind)


def _dataclass_reader(kind: type) -> Reader:
    hints, fields = typing.get_type_hints(kind), _stored_fields(kind)
    readers = [(field.name, _reader(hints[field.name])) for field in fields]
    plain = dataclasses.MISSING
    required = frozenset(f.name for f in fields if f.default is plain and f.default_factory is plain)

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"no fields of {kind.__name__}")
        missing = required - value.keys()
        if missing:
            raise ValueError(f"{kind.__name__} without {', '.join(sorted(missing))}")
        return kind(**{name: reader(value[name]) for name, reader in readers if name in value})

    return read


def _stored_fields(kind: Any) -> list[dataclasses.Field[Any]]:
    """All but those that say ``stored=False`` in their metadata: they have a file of their own."""
    return [field for field in dataclasses.fields(kind) if field.metadata.get("stored", True)]


def _list_reader(item: Reader) -> Reader:
    return lambda value: tuple([item(part) for part in _list(value)])


def _tuple_reader(items: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        if len(_list(value)) != len(items):
            raise ValueError(f"{len(value)} values where {len(items)} belong")
        return tuple([item(part) for item, part in zip(items, value, strict=True)])

    return read


def _read_array(value: Any) -> Any:
    if set(map(type, _list(value))) != {float}:
        # NumPy itself would make numbers of texts too.
        value = [_read_float(item) for item in value]
    return np.array(value, np.float32)


def _read_float(value: Any) -> Any:
    if value is None:
        return math.nan
    if type(value) in (float, int) and abs(value) < math.inf:
        with contextlib.suppress(OverflowError):
            return float(value)
    raise ValueError(f"{value!r} where a number belongs")


def _read_simple(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{value!r} where {kind.__name__} belongs")
    return value


def _read_choice(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        raise ValueError(f"{value!r} is none of {choices}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    return value
