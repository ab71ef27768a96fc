"""Many pieces of work at once: each thread takes whole pieces and has its share of torch's threads for them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def at_once(
    work: Callable[[Piece], Result], pieces: Iterable[Piece], *, most: int | None = None
) -> Generator[Result, None, None]:
    """`work` of each piece, in the order of the pieces, as many at a time as torch has threads, and at most `most`.

    Small operations gain little from a second thread, and wait for it at the end of each; whole pieces don't. torch's
    own number of threads is put back when the last result has been taken, or the iterator is closed.
    """
    threads = torch.get_num_threads()
    workers = min(threads if most is None else most, threads)
    if workers == 1:
        yield from map(work, pieces)
        return
    share = threads // workers
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,))
    coming = deque[Future]()
    torch.set_num_threads(share)  # for the caller, who works between two pieces
    try:
        for piece in pieces:
            coming.append(pool.submit(work, piece))
            if len(coming) > workers:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
