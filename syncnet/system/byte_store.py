"""Numbers kept as they come: in memory, and those beyond a limit in a file on the disk that has no name."""

from __future__ import annotations

import math
import tempfile
import weakref
from threading import Lock

import numpy as np
import numpy.typing as npt

from syncnet.conventions import Rows

_PIECE_BYTES = 2**20


class ByteStore:
    """Bytes laid at places that rise, but for short steps back; between them are zeros."""

    def __init__(self, most_held_bytes: float = math.inf) -> None:
        """Beyond ``most_held_bytes`` they go to a temporary file. Where that cannot be, all stay in memory."""
        self._held = bytearray()
        self._begin = 0
        """The place of the first that is held. Those before it lie in the file, or are forgotten."""
        self._most_held_bytes = most_held_bytes
        self._file: _NamelessFile | None = None

    def append(self, numbers: np.ndarray) -> None:
        """After all that was written."""
        self.write(self._begin + len(self._held), numbers.tobytes())

    def write(self, place: int, data: bytes) -> None:
        """What is before place 0, or forgotten, is dropped."""
        data, place = data[max(-place, 0) :], max(place, 0)
        if self._file is not None and place < self._begin:
            try:
                self._file.write(place, data[: self._begin - place])
            except OSError:
                self._take_back()
        data, place = data[max(self._begin - place, 0) :], max(place - self._begin, 0)
        if not data:
            return
        if place > len(self._held):
            self._held.extend(bytes(place - len(self._held)))
        self._held[place : place + len(data)] = data
        if len(self._held) > self._most_held_bytes:
            self._put_by()

    def read(self, place: int, end: int) -> bytearray:
        """Of those that are held; zeros where there are none."""
        data = bytearray(end - place)
        lead = max(place, self._begin)
        there = self._held[lead - self._begin : max(lead, end) - self._begin]
        data[lead - place : lead - place + len(there)] = there
        return data

    def forget(self, before: int) -> None:
        """Lets go of what is before that place, what is to come there too: it reads as zeros from now on."""
        count = max(before - self._begin, 0)
        del self._held[:count]
        self._begin += count

    def rows(self, dtype: npt.DTypeLike, columns: int | None = None, first: int = 0, end: int | None = None) -> Rows:
        """Rows ``first`` to ``end``, (n, columns), or (n,) without columns. Nothing may be written any more."""
        if self._file is not None:
            self._put_by()
        shape = () if columns is None else (columns,)
        if self._file is not None:
            there = self._begin // (np.dtype(dtype).itemsize * math.prod(shape))
            last = there if end is None else min(end, there)
            return FiledRows(self._file, np.dtype(dtype), shape, (first, max(last, first)))
        return np.frombuffer(self._held, dtype).reshape(-1, *shape)[first:end]

    def _put_by(self) -> None:
        try:
            self._file = self._file or _NamelessFile()
            self._file.write(self._begin, self._held)
        except OSError:
            self._take_back()
        else:
            self._begin += len(self._held)
            self._held.clear()
            self._most_held_bytes = _PIECE_BYTES

    def _take_back(self) -> None:
        """The disk is full, or no folder can be written to: memory has to do."""
        if self._file is not None:
            self._held[:0] = self._file.read(0, self._begin)
            self._begin = 0
        self._file, self._most_held_bytes = None, math.inf


class FiledRows:
    """Rows that lie on the disk. A slice of them is read when it is asked for, and nothing of it is kept.

    They are not mapped into memory: pages of a map count as memory of the process until the system takes them away.
    """

    def __init__(self, file: _NamelessFile, dtype: np.dtype, shape: tuple[int, ...], rows: tuple[int, int]) -> None:
        """``shape``: of one row. ``rows``: the first, and the one behind the last."""
        self._file = file
        self._dtype = dtype
        self._shape = shape
        self._first, self._end = rows

    def __len__(self) -> int:
        return self._end - self._first

    def __getitem__(self, part: slice, /) -> np.ndarray:
        """As of an array, (n, ...); of neighbours only. Raises OSError."""
        first, end, step = part.indices(len(self))
        if step != 1:
            raise ValueError("rows are read in their order")
        row_bytes = self._dtype.itemsize * math.prod(self._shape)
        places = (row_bytes * (self._first + at) for at in (first, max(first, end)))
        return np.frombuffer(self._file.read(*places), self._dtype).reshape(-1, *self._shape)


class _NamelessFile:
    """In the system's folder for temporary files; gone with this object, and with the process, however that ends."""

    def __init__(self) -> None:
        """Raises OSError."""
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (it is open for as long as this lives)
        self._turn = Lock()
        weakref.finalize(self, self._file.close)

    def write(self, place: int, data: bytes | bytearray) -> None:
        """All of it. Raises OSError."""
        with self._turn, memoryview(data) as left:
            self._file.seek(place)
            done = 0
            while done < len(left):
                done += self._file.write(left[done:])

    def read(self, place: int, end: int) -> bytearray:
        """What was written there. Raises OSError."""
        data = bytearray(end - place)
        with self._turn, memoryview(data) as left:
            self._file.seek(place)
            done = 0
            while done < len(left):
                count = self._file.readinto(left[done:])
                if not count:
                    raise OSError("a temporary file lost its end")
                done += count
        return data
