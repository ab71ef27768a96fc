"""Pieces of work on several threads: in order, each on its share of torch's threads, which are put back."""

import threading
import time

import numpy as np
import pytest
import torch

from gancourse.metrics import kid
from gancourse.threads import at_once


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("threads", "most", "workers"), [(1, None, 1), (2, None, 2), (4, 2, 2), (4, None, 4), (3, 8, 3)]
)
def test_results_come_in_order_from_as_many_threads_as_torch_has(threads, most, workers):
    torch.set_num_threads(threads)
    seen, shares = set(), set()

    def work(piece):
        time.sleep(0.02 * (piece % 3))
        seen.add(threading.get_ident())
        shares.add(torch.get_num_threads())
        return piece**2

    assert list(at_once(work, range(20), most=most)) == [i**2 for i in range(20)]
    assert len(seen) == workers and shares == {threads // workers}
    assert torch.get_num_threads() == threads


def test_an_error_comes_out_and_an_unfinished_one_puts_the_threads_back():
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError):
        list(at_once(lambda piece: 1 / piece, [1, 0, 1, 1]))
    assert torch.get_num_threads() == 2
    results = at_once(lambda piece: piece, range(100))
    next(results)
    results.close()
    assert torch.get_num_threads() == 2


def test_kid_is_the_same_bits_on_one_thread_and_on_several():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(1000, 20)), rng.normal(0.1, size=(900, 20))
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        with torch.inference_mode(threads == 2):
            found.append(kid(real=torch.tensor(real), fake=torch.tensor(fake)))
    assert found[0] == found[1] == found[2] and found[0].stderr > 0
