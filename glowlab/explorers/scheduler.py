"""Long work in short pieces: a kernel answers the page's messages between any two of them."""

import asyncio
import time
from collections.abc import Callable, Iterator

PAUSE = 0.002  # seconds between two pieces, in which messages are answered
POLITE = 4  # how many times as long as it had to wait for a core, the work leaves it to others
PIECE = 45.0  # milliseconds that a piece may take, so that an answer never waits long


def timed(action: Callable[[], None]) -> tuple[float, float]:
    """Do it; seconds that it took, and seconds of these that it had to wait, mostly for a core."""
    start, before = time.perf_counter(), time.process_time()  # the latter counts all threads
    action()
    took = time.perf_counter() - start
    return took, max(0.0, took - (time.process_time() - before))


class Slices:
    """Runs a generator piece by piece (each `yield` ends one); new work drops what is left of the old.

    After a piece that had to wait for a core, the next one comes the later: in a crowd, what others move goes first.
    `guard` wraps each piece, as `Frame.guard` does; after an exception the work is over.
    """

    def __init__(self, guard: Callable[[Callable], Callable] = lambda action: action):
        self._guarded = guard(self._piece)
        self._work: Iterator[None] | None = None
        self._waited = self._computed = 0.0  # seconds, of the work under way

    @property
    def crowded(self) -> bool:
        """Whether the work under way waited for a core longer than it computed, since others want it."""
        return self._waited > self._computed

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return self._work is not None

    def start(self, work: Iterator[None]) -> None:
        """Drop what is under way and begin with this."""
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
        """Drop what is under way."""
        self._work = None

    def _go_on(self, loop, work: Iterator[None]) -> None:
        took, waited = timed(lambda: self._run(work))
        if self._work is work:
            self._waited, self._computed = self._waited + waited, self._computed + took - waited
            loop.call_later(max(PAUSE, POLITE * waited), self._go_on, loop, work)

    def _run(self, work: Iterator[None]) -> None:
        if self._work is not work:
            return
        if not self._guarded(work) and self._work is work:
            self._work = None

    def _piece(self, work: Iterator[None]) -> bool:
        for _ in work:
            return True
        return False


class Pace:
    """How many things of one kind fit into `piece` milliseconds: follows what the last ones took."""

    def __init__(self, count: int = 2, most: int = 16, piece: float = PIECE):
        self.count, self.most, self.piece = count, most, piece

    def timed(self, action: Callable[[], int | None], done: int) -> float:
        """Do it, learn from the time that `done` things took, and return that time in milliseconds.

        Where some were kept from before, `action` gives how many were not; from none nothing is learned.
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
