"""Settings that check themselves when they are made, whoever makes them."""

from __future__ import annotations

import math
import os
import types
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from syncnet.errors import UsageError


class DefaultInt(int):
    """A number that nobody gave, so that another setting may bring a default of its own."""


class DefaultFloat(float):
    """The same."""


@dataclass(frozen=True)
class Rule:
    """What a field may be, beside its type. It is written into the type: ``Annotated[int, Rule(...)]``."""

    what: str = ""
    """What to give, in words."""
    least: float = -math.inf
    above: float = -math.inf
    most: float = math.inf
    finite: bool = True
    choices: tuple[str, ...] = ()
    flag: str | None = ""
    """Of the command line; empty for the name of the field, None where there is none."""


@dataclass(frozen=True)
class Part:
    """One field of a class of settings."""

    name: str
    flag: str
    """Without dashes; empty where there is none."""
    kinds: tuple[Any, ...]
    rule: Rule
    default: Any

    @property
    def nested(self) -> type[Checked] | None:
        """The class of settings that the field always holds one of."""
        (kind, *others) = self.kinds
        return kind if not others and is_dataclass(kind) else None  # type: ignore[return-value]

    def fitted(self, value: Any) -> Any:
        """The value in the field's own type. Raises UsageError."""
        if value is None and types.NoneType in self.kinds:
            return None
        label = f"--{self.flag}" if self.flag else self.name
        if isinstance(value, (str, os.PathLike)) and not str(value):
            raise UsageError(f"{label}: the name is empty", cure=f"give {self._wanted()}")
        try:
            fitted = _converted(value, self.kinds)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"{label} {value}", cure=f"give {self._wanted()}") from None
        if not self._is_allowed(fitted):
            raise UsageError(f"{label} {fitted}", cure=f"give {self._wanted()}")
        return fitted

    def _is_allowed(self, value: Any) -> bool:
        if self.rule.choices:
            return value in self.rule.choices
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return True
        within = self.rule.least <= value <= self.rule.most and value > self.rule.above
        return within and (value < math.inf or not self.rule.finite)

    def _wanted(self) -> str:
        words = self.rule.choices or [
            word for kind in self.kinds if get_origin(kind) is Literal for word in get_args(kind)
        ]
        known = {bool: "True or False", int: "a whole number", float: "a number", str: "a text", Path: "a path"}
        kind = self.kinds[0]
        return self.rule.what or (f"one of {', '.join(words)}" if words else known.get(kind, f"a {kind.__name__}"))


class Checked:
    """Base of all settings: their fields are checked, and brought to their types, when one is made."""

    def __post_init__(self) -> None:
        """Raises UsageError."""
        for part in parts_of(type(self)):
            object.__setattr__(self, part.name, part.fitted(getattr(self, part.name)))


def parts_of(kind: type[Any]) -> tuple[Part, ...]:
    """The fields of a class of settings, in their order."""
    if kind not in _PARTS:
        hints = get_type_hints(kind, include_extras=True)
        _PARTS[kind] = tuple(_part(field.name, hints[field.name], field.default) for field in fields(kind))
    return _PARTS[kind]


_PARTS: dict[type[Any], tuple[Part, ...]] = {}
"""What ``parts_of`` has found out before."""


def fitted(kind: type[Checked], name: str, value: Any) -> Any:
    """A value that stands alone, as this field of these settings takes it. Raises UsageError."""
    return next(part for part in parts_of(kind) if part.name == name).fitted(value)


def _part(name: str, hint: Any, default: Any) -> Part:
    rule = Rule()
    if get_origin(hint) is Annotated:
        hint, rule = get_args(hint)
    kinds = (hint,) if get_origin(hint) in (None, Literal, tuple) else get_args(hint)
    flag = "" if rule.flag is None or is_dataclass(kinds[0]) else rule.flag or name
    return Part(name, flag, kinds, rule, default)


_NUMBERS: dict[type, Any] = {int: Integral, float: Real}
"""Those of numpy are among them."""


def _converted(value: Any, kinds: Sequence[Any]) -> Any:
    """The value in the first of the types that it can be."""
    for kind in kinds:
        if get_origin(kind) is Literal:
            if isinstance(value, str) and value in get_args(kind):
                return value
        elif kind is Path:
            return Path(value)
        elif kind in _NUMBERS:
            if isinstance(value, _NUMBERS[kind]) and not isinstance(value, bool):
                return value if isinstance(value, kind) else kind(value)
        elif isinstance(value, get_origin(kind) or kind):
            return value
    raise TypeError
