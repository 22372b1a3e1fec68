"""One queue to a device for all threads: what they ask for at the same time is done in one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Request(Generic[Answer]):
    picture: np.ndarray
    done: bool = False
    answer: Answer | None = None
    error: BaseException | None = None


class SharedBatch(Generic[Answer]):
    """Runs ``run`` on the pictures of several threads together, each of which waits for the answer to its own.

    There is no thread behind it. Whoever finds the device free takes what is waiting, the oldest first and only
    pictures of one shape, works on it for all, and wakes them: while one batch runs, the next gathers.
    """

    def __init__(self, run: Callable[[np.ndarray], Sequence[Answer]], max_pictures: int) -> None:
        self._run = run
        self._max_pictures = max_pictures
        self._device = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: list[_Request[Answer]] = []

    def ask(self, picture: np.ndarray) -> Answer:
        """The answer for one picture. Raises what its batch raised."""
        request: _Request[Answer] = _Request(picture)
        with self._turn:
            self._waiting.append(request)
        while not request.done:
            with self._device:
                if not request.done:
                    self._work(self._take())
        if request.error is not None:
            raise request.error
        return request.answer  # type: ignore[return-value]  # one of the two is there, and None may be an answer

    def _take(self) -> list[_Request[Answer]]:
        with self._turn:
            shape = self._waiting[0].picture.shape
            batch = [request for request in self._waiting if request.picture.shape == shape][: self._max_pictures]
            taken = {id(request) for request in batch}
            self._waiting = [request for request in self._waiting if id(request) not in taken]
        return batch

    def _work(self, batch: list[_Request[Answer]]) -> None:
        try:
            answers = self._run(np.stack([request.picture for request in batch]))
            for request, answer in zip(batch, answers, strict=True):
                request.answer = answer
        except BaseException as error:
            for request in batch:
                request.error = error
            # A signal is for the thread that it met, too.
            if not isinstance(error, Exception):
                raise
        finally:
            for request in batch:
                request.done = True
