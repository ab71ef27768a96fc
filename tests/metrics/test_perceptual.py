import numpy as np
import pytest
import torch

from gancourse.metrics import perceptual_distance


def maps(seed, layers=((3, 4, 5), (6, 2, 2)), n=7):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(n, *shape, generator=random, dtype=torch.float64) for shape in layers]


def distance(a, b, **kwargs):
    """Feature maps stand in for images: the extractor hands them through."""
    return perceptual_distance(a, b, features=lambda x: x, **kwargs)


def by_definition(a_maps, b_maps, weights=None):
    result = np.zeros(len(a_maps[0]))
    for layer, (a, b) in enumerate(zip(a_maps, b_maps, strict=True)):
        n, _, height, width = a.shape
        for i in range(n):
            for h in range(height):
                for w in range(width):
                    u, v = a[i, :, h, w].numpy(), b[i, :, h, w].numpy()
                    square = (u / np.linalg.norm(u) - v / np.linalg.norm(v)) ** 2
                    weight = 1 if weights is None else np.asarray(weights[layer])
                    result[i] += (weight * square).sum() / (height * width)
    return result


def test_agrees_with_the_definition():
    a, b = maps(0), maps(1)
    np.testing.assert_allclose(distance(a, b), by_definition(a, b), rtol=1e-12)
    weights = [[0.1, 0, 2], list(range(6))]
    np.testing.assert_allclose(distance(a, b, weights=weights), by_definition(a, b, weights), rtol=1e-12)


def test_closed_forms():
    x = torch.tensor([1.0, 0]).reshape(1, 2, 1, 1)
    y = torch.tensor([0, 1.0]).reshape(1, 2, 1, 1)
    assert distance([x], [y]).tolist() == [2]
    assert distance([x], [-x]).tolist() == [4]
    assert distance([x, x], [y, -x]).tolist() == [6]
    assert distance([x], [x * 1e-3]).tolist() == [0]  # lengths don't count
    assert distance([x], [0 * x]).tolist() == [1]  # a dead pixel stays 0
    assert distance([0 * x], [0 * x]).tolist() == [0]


def test_is_a_symmetric_function_of_each_pair():
    a, b = maps(0), maps(1)
    assert torch.equal(distance(a, b), distance(b, a))
    assert torch.equal(distance(a, a), torch.zeros(7, dtype=torch.float64))
    torch.testing.assert_close(distance([m[2:3] for m in a], [m[2:3] for m in b])[0], distance(a, b)[2])


def test_features_get_the_images():
    x, y = torch.rand(2, 5, 3, 8, 8)
    down = torch.nn.functional.avg_pool2d
    found = perceptual_distance(x, y, features=lambda images: (images, down(images, 2)))
    np.testing.assert_allclose(found, distance([x, down(x, 2)], [y, down(y, 2)]))
    assert found.shape == (5,) and found.dtype == torch.float32


def test_gradients_flow_and_stay_finite():
    x = torch.rand(2, 3, 4, 4)
    x[0, :, 0, 0] = 0
    x.requires_grad_()
    distance([x], [torch.rand(2, 3, 4, 4)]).sum().backward()
    assert x.grad.isfinite().all() and x.grad.abs().sum() > 0
    x.grad = None
    distance([x], [x.detach().clone()]).sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


def test_bad_input_is_named():
    a, b = maps(0), maps(1)
    with pytest.raises(ValueError, match="as many maps for x as for y, got 2 and 1"):
        distance(a, b[:1])
    with pytest.raises(ValueError, match="got 0 and 0"):
        distance([], [])
    with pytest.raises(ValueError, match=r"layer 1 gave \(7, 6, 2, 2\) and \(3, 6, 2, 2\)"):
        distance(a, [b[0], b[1][:3]])
    with pytest.raises(ValueError, match="layer 1 gave"):
        distance([a[0], a[1][:3]], [b[0], b[1][:3]])
    with pytest.raises(ValueError, match=r"layer 0 gave \(7, 3\)"):
        distance([a[0][:, :, 0, 0]], [b[0][:, :, 0, 0]])
    with pytest.raises(ValueError, match="weights: expected one vector for each of 2 layers, got 1"):
        distance(a, b, weights=[[1, 1, 1]])
    for weights in ([[1, 1], [1] * 6], [[1, 1, -1], [1] * 6], [[1, 1, float("nan")], [1] * 6]):
        with pytest.raises(ValueError, match="weights: layer 0 needs 3 numbers >= 0"):
            distance(a, b, weights=weights)
    b[1][4, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="image 4 of x or y has NaN"):
        distance(a, b)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(torch.float16, scale) for scale in (1e-3, 6e3)]
    + [(dtype, scale) for dtype in (torch.float32, torch.float64) for scale in (1e-25, 1e-5, 6e3, 1e20)],
)
def test_the_scale_of_a_layer_does_not_matter(dtype, scale):
    a, b = torch.rand(2, 3, 64, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = perceptual_distance(a, b, features=lambda x: [x])
    found = perceptual_distance((scale * a).to(dtype), (scale * b).to(dtype), features=lambda x: [x])
    assert found.dtype == torch.promote_types(dtype, torch.float32)
    torch.testing.assert_close(found.double(), expected, rtol=2e-3, atol=0)


def test_maps_that_are_no_numbers_of_a_network():
    with pytest.raises(TypeError, match="layer 0 gave something else"):
        perceptual_distance(torch.zeros(1), torch.zeros(1), features=lambda x: [torch.ones(1, 2, 2, 2).int()])
