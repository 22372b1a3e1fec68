"""JSON from files that anybody may have touched."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """As ``json.loads``. Raises ValueError for whatever cannot be read, also where it is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("JSON that is nested too deep") from error
