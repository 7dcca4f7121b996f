"""Long work in short pieces: a kernel answers the page's messages between any two of them."""

import asyncio
import time
from collections.abc import Callable, Iterator

PAUSE = 0.002  # seconds between two pieces, in which messages are answered
BACKOFF = 4  # a piece that waited for a core is followed by a pause this many times as long
LONGEST = 3.0  # seconds that work waits at most
PIECE = 45.0  # milliseconds that a piece may take, so that the page never waits long for an answer


def time_call(action: Callable[[], None]) -> tuple[float, float]:
    """Call `action`; the seconds it took, and how many of these it waited, mostly for a core."""
    start, before = time.perf_counter(), time.process_time()  # the latter counts all threads
    action()
    took = time.perf_counter() - start
    return took, max(0.0, took - (time.process_time() - before))


class Scheduler:
    """Runs a generator piece by piece (each `yield` ends a piece); new work replaces the old.

    A piece that waited for a core is followed by a longer pause, so that in a crowd the moves of others go first.
    `guard` wraps each piece, as `Frame.guard` does; an exception ends the work.
    """

    def __init__(self, guard: Callable[[Callable], Callable] = lambda action: action):
        self._guarded = guard(self._piece)
        self._work: Iterator[None] | None = None
        self._waited = self._computed = 0.0  # seconds, of the present work

    @property
    def crowded(self) -> bool:
        """Whether the present work has waited for a core longer than it has computed."""
        return self._waited > self._computed

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return self._work is not None

    def start(self, work: Iterator[None]) -> None:
        """Replace the present work by this."""
        self._work = work
        self._waited = self._computed = 0.0
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, so nobody waits for an answer
            while self._work is work:
                self._run(work)
            return
        loop.call_later(PAUSE, self._go_on, loop, work)

    def stop(self) -> None:
        """Drop the present work."""
        self._work = None

    def _go_on(self, loop, work: Iterator[None]) -> None:
        took, waited = time_call(lambda: self._run(work))
        if self._work is work:
            self._waited, self._computed = self._waited + waited, self._computed + took - waited
            loop.call_later(min(max(PAUSE, BACKOFF * waited), LONGEST), self._go_on, loop, work)

    def _run(self, work: Iterator[None]) -> None:
        if self._work is not work:
            return
        if not self._guarded(work) and self._work is work:
            self._work = None

    def _piece(self, work: Iterator[None]) -> bool:
        for _ in work:
            return True
        return False


class BatchSize:
    """Adaptive batch size: the `count` of things that fit into `piece` milliseconds, judged by the last batches."""

    def __init__(self, count: int = 2, most: int = 16, piece: float = PIECE):
        self.count, self.most, self.piece = count, most, piece

    def run(self, action: Callable[[], int | None], done: int) -> float:
        """Call `action`, which does `done` things, and adapt the count to the time it took; that time in milliseconds.

        An `action` that finds some of them in a cache returns the number of the others; 0 adapts nothing.
        """
        start = time.perf_counter()
        fresh = action()
        took = 1000 * (time.perf_counter() - start)
        done = done if fresh is None else fresh
        if took > 1.3 * self.piece and done:
            self.count = max(1, int(min(self.count, done) * self.piece / took))
        elif took < 0.7 * self.piece and done >= self.count:
            self.count = min(self.most, self.count + 1)
        return took
