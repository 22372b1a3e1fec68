"""From the values of the flags to the settings that they are fields of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from syncnet.settings.checks import Checked, parts_of

_Settings = TypeVar("_Settings", bound=Checked)


def settings_from(kind: type[_Settings], given: Mapping[str, Any], **ready: Any) -> _Settings:
    """Settings with the values of the flags that were given; settings within them are made in the same way.

    ``ready``: fields that are there already. Raises UsageError.
    """
    for part in parts_of(kind):
        if part.name in ready:
            continue
        if part.nested is not None:
            ready[part.name] = settings_from(part.nested, given)
        elif part.flag in given:
            ready[part.name] = given[part.flag]
    return kind(**ready)


def one_of(words: Sequence[str]) -> str:
    """For the help text of a flag: the settings themselves refuse any other word."""
    return f"{{{','.join(words)}}}"
