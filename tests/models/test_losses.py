"""Losses with known values, and penalties that take each sample's own slope."""

import pytest
import torch
import torch.nn.functional as F

from gancourse.models.losses import KINDS, critic_loss, generator_loss, gradient_penalty, r1_penalty
from gancourse.models.stylegan import Discriminator
from gancourse.training.run import seeded


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_logistic_critic_minimises_the_cross_entropy_of_telling_real_from_fake():
    real, fake = torch.randn(9, generator=stream()), torch.randn(7, generator=stream(1))
    expected = F.binary_cross_entropy_with_logits(real, torch.ones(9))
    expected = expected + F.binary_cross_entropy_with_logits(fake, torch.zeros(7))
    assert float(critic_loss("logistic", real, fake)) == pytest.approx(float(expected))


def test_hinge_and_wasserstein_by_hand():
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])
    assert float(critic_loss("hinge", real, fake)) == pytest.approx(
        0.25 + 0.5
    )  # only what is within the margin
    assert float(critic_loss("wasserstein", real, fake)) == pytest.approx(-1.5 - 1.25)
    assert float(generator_loss("hinge", fake)) == float(generator_loss("wasserstein", fake)) == 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_either_side_moves_the_logits_its_own_way(kind):
    real, fake = torch.zeros(4, requires_grad=True), torch.full((4,), -0.5, requires_grad=True)
    critic_loss(kind, real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()
    fake.grad = None
    generator_loss(kind, fake).backward()
    assert (fake.grad < 0).all()


def test_the_generators_logistic_loss_is_steep_where_the_critic_is_sure():
    fake = torch.tensor([-20.0], requires_grad=True)
    generator_loss("logistic", fake).backward()
    assert float(fake.grad) == pytest.approx(-1)


def test_other_losses_are_refused():
    for loss in (
        lambda: critic_loss("lsgan", torch.zeros(1), torch.zeros(1)),
        lambda: generator_loss("lsgan", torch.zeros(1)),
    ):
        with pytest.raises(ValueError, match="kind: expected one of logistic"):
            loss()


def test_gradient_penalty_of_a_linear_critic_of_slope_three_is_four():
    real, fake = torch.randn(16, 2, generator=stream()), torch.randn(16, 2, generator=stream(1))
    slope = torch.tensor([3.0, 0.0])
    assert float(gradient_penalty(lambda x: x @ slope, real, fake, generator=stream())) == pytest.approx(4)
    assert float(r1_penalty(lambda x: x @ slope, real)) == pytest.approx(9)


def test_gradient_penalty_looks_between_real_and_fake():
    seen = []
    real, fake = torch.zeros(500, 2), torch.ones(500, 2)
    gradient_penalty(
        lambda x: (seen.append(x.detach()), x.square().sum(1))[1], real, fake, generator=stream()
    )
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])  # one t a pair, not one a coordinate
    assert float(seen[0].min()) >= 0 and float(seen[0].max()) <= 1
    assert float(seen[0].mean()) == pytest.approx(0.5, abs=0.05)


def test_r1_of_a_linear_critic_is_the_squared_length_of_its_weights():
    weights = torch.randn(12, generator=torch.Generator().manual_seed(0))
    images = torch.rand(5, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    penalty = r1_penalty(lambda x: x.flatten(1) @ weights, images)
    assert float(penalty) == pytest.approx(float(weights.square().sum()))


def test_r1_can_be_differentiated_through_the_whole_critic():
    critic = seeded(0, Discriminator, (8, 8, 8))
    r1_penalty(critic, torch.rand(4, 1, 16, 16)).backward()
    assert all(
        p.grad is not None
        for name, p in critic.named_parameters()
        if "weight" in name and "from_rgb.0" not in name and "from_rgb.1" not in name
    )
