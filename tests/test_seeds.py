"""One kind of seed everywhere, and nothing but it decides what is drawn."""

import numpy as np
import pytest
import torch

from gancourse import metrics, models
from gancourse.datasets import fashion_mnist, shapes
from gancourse.features import embed
from gancourse.seeds import stream

ROWS = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))


def test_any_whole_number_is_a_seed():
    for seed in (3, np.int64(3), np.uint8(3), torch.tensor(3)):
        assert torch.equal(torch.rand(2, generator=stream(seed)), torch.rand(2, generator=stream(3)))
    assert metrics.fid_infinity(real=ROWS[:30], fake=ROWS[30:], seed=np.int64(1)) == metrics.fid_infinity(
        real=ROWS[:30], fake=ROWS[30:], seed=1
    )


@pytest.mark.parametrize(
    ("seed", "error"), [(1.5, TypeError), ("a", TypeError), (True, TypeError), (2**70, ValueError)]
)
def test_anything_else_is_named(seed, error):
    with pytest.raises(error, match="seed: expected a whole number"):
        metrics.prd_curve(real=ROWS, fake=ROWS, seed=seed)
    with pytest.raises(error, match="seed: expected a whole number"):
        shapes(2, seed=seed)


def test_loading_and_embedding_leave_the_global_stream_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    models.load("vae")
    embed(fashion_mnist("test").images[:4], models.load("classifier"))
    assert torch.equal(torch.rand(1), expected)


def test_drawn_factors_do_not_hang_on_the_default_dtype():
    expected = shapes(3, seed=0)
    try:
        torch.set_default_dtype(torch.float64)
        found = shapes(3, seed=0)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found.images, expected.images)
