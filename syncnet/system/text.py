"""Text for a terminal: names that cannot play tricks on it, columns that stay aligned."""

from __future__ import annotations

import re
import textwrap
import unicodedata

GAP = "..."
_CODE = re.compile(r"`[^`]*`")
# user:password@ of any protocol; of http also a token alone, which is the name of a container elsewhere.
_PASSWORD = re.compile(r"(://[^/@\s:]*:)[^/@\s]*@")
_TOKEN = re.compile(r"(https?://)[^/@\s:]+@", re.IGNORECASE)
_SECRET = re.compile(
    r"([?&;][\w.-]*(?:sig|token|secret|passw|pwd|key|credential|auth|session)[\w.-]*=)[^&#;\s'\"]*", re.IGNORECASE
)
_GLUE = "\0"
"""No space to textwrap, and nothing that is printed ever holds it."""


def masked(text: str) -> str:
    """The text with the secrets of all URIs in it as ``***``: passwords, tokens, signatures."""
    if "://" not in text:
        return text
    text = _PASSWORD.sub(r"\1***@", text)
    return _SECRET.sub(r"\1***", _TOKEN.sub(r"\1***@", text))


def printable(text: str) -> str:
    """The text with control characters, line breaks, direction marks and stray bytes as visible escapes."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def display_width(text: str) -> int:
    """Columns that the text takes: wide characters two, combining marks none."""
    return sum(_columns(character) for character in text)


def fit(text: str, width: int) -> str:
    """The text in exactly ``width`` columns: padded, or with its middle left out (both ends of a name tell most)."""
    if display_width(text) > width:
        head = _cut(text, (width - len(GAP) + 1) // 2)
        tail = _cut(text[::-1], width - len(GAP) - display_width(head))[::-1]
        text = head + GAP + tail
    return text + " " * (width - display_width(text))


def indent(text: str, width: int, margin: int) -> str:
    """The text in lines of at most ``width`` columns, each set in by ``margin``; `commands` in it are not broken."""
    space = " " * margin
    # A command or a file name that is broken at a hyphen cannot be copied.
    filler = textwrap.TextWrapper(
        max(width, margin + 20),
        initial_indent=space,
        subsequent_indent=space,
        break_on_hyphens=False,
        break_long_words=False,
    )
    whole = _CODE.sub(lambda code: code[0].replace(" ", _GLUE), text)
    return filler.fill(whole).replace(_GLUE, " ")


def format_duration(seconds: float) -> str:
    """``4.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def count(number: int, thing: str) -> str:
    """``1 video``, ``1,234 videos``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, width: int) -> str:
    """As much of the beginning as fits."""
    used = 0
    for position, character in enumerate(text):
        used += _columns(character)
        if used > width:
            return text[:position]
    return text
