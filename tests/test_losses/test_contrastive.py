"""2C and D2D-CE: closed forms, the paper's properties, degenerate batches, settings."""

import math

import pytest
import torch

from mmcgan.losses import (
    ConditionalContrastiveLoss,
    D2DCELoss,
    conditional_contrastive,
    data_to_data_cross_entropy,
)

LABEL = torch.tensor([0, 1, 0, 2])
LOSSES = [ConditionalContrastiveLoss(0.5), D2DCELoss(0.5, 0.6)]


def unit(angles):
    """Return rows of unit length at these angles (degrees) in the plane."""
    radians = torch.tensor(angles, dtype=torch.float64).deg2rad()
    return torch.stack([radians.cos(), radians.sin()], 1)


def random_batch():
    """Return embeddings and proxies (4, 3) of ``LABEL``."""
    generator = torch.Generator().manual_seed(0)
    embed = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    proxy = torch.randn(3, 3, dtype=torch.float64, generator=generator)[LABEL]
    return embed, proxy


def test_2c_is_its_closed_form():
    embed, proxy = unit([0, 60, 90]), unit([60, 60, 90])
    own, same, other = math.exp(0.5), math.exp(0.5), math.exp(0)
    value = conditional_contrastive(embed, proxy, torch.tensor([0, 0, 1]), 1.0)[0]
    assert value.item() == pytest.approx(-math.log((own + same) / (own + same + other)))


def test_d2d_ce_is_its_closed_form():
    embed, proxy, temperature = unit([0, 60, 90]), unit([60, 60, 90]), 0.5
    value = D2DCELoss(temperature, 0.75, 0.1).real(embed, proxy, torch.tensor([0, 0, 1]))
    cosine = math.cos(math.radians(30))
    rows = [
        ((0.5 - 0.75) / temperature, [0.0]),
        (0.0, [(cosine - 0.1) / temperature]),
        (0.0, [0.0, (cosine - 0.1) / temperature]),
    ]
    expected = [-math.log(math.exp(p) / (math.exp(p) + sum(map(math.exp, n)))) for p, n in rows]
    assert value.item() == pytest.approx(sum(expected) / 3)


def test_the_negative_margin_is_one_minus_the_positive_unless_given():
    batch = (*random_batch(), LABEL)
    assert D2DCELoss(0.5, 0.9).real(*batch) == D2DCELoss(0.5, 0.9, 1 - 0.9).real(*batch)
    assert D2DCELoss(0.5, 0.9).real(*batch) != D2DCELoss(0.5, 0.9, -0.5).real(*batch)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("view", ["real", "fake", "generated"])
def test_gradcheck(loss, view):
    embed, proxy = (value.requires_grad_() for value in random_batch())
    assert torch.autograd.gradcheck(lambda e, p: getattr(loss, view)(e, p, LABEL), (embed, proxy))


class TestPropertiesOfD2DCE:
    """ReACGAN, Sec. 3.3, on one sample and its similarities to negatives."""

    temperature, margins = 0.25, (0.9, 0.1)

    def gradients(self, positive_angle, similarities):
        """Return value and gradients for the positive's embedding and for the similarities."""
        embed = unit([positive_angle]).requires_grad_()
        negative = torch.tensor([similarities], dtype=torch.float64, requires_grad=True)
        value = data_to_data_cross_entropy(
            embed, unit([0]), negative, torch.ones_like(negative).bool(), self.temperature, self.margins
        ).sum()
        return value.item(), *torch.autograd.grad(value, (embed, negative))

    def test_1_hard_negatives_weigh_exponentially_more(self):
        _, _, gradient = self.gradients(60, [0.2, 0.5, 0.9])
        ratios = gradient[0, 1:] / gradient[0, :-1]
        expected = torch.tensor([0.3, 0.4], dtype=torch.float64).div(self.temperature).exp()
        assert torch.allclose(ratios, expected)

    def test_2_easy_negatives_give_no_gradient(self):
        _, _, gradient = self.gradients(60, [0.0999, 0.1001, -0.8])
        assert gradient[0, 0] == gradient[0, 2] == 0
        assert gradient[0, 1] > 0

    def test_3_easy_positives_give_no_gradient(self):
        easy, hard = math.degrees(math.acos(0.9001)), math.degrees(math.acos(0.8999))
        assert self.gradients(easy, [0.5])[1].abs().max() == 0
        assert self.gradients(hard, [0.5])[1].abs().max() > 0.01

    def test_4_the_minimum_is_reached_when_all_are_easy(self):
        value, positive, negative = self.gradients(5, [-0.5, 0.0, 0.05])
        assert value == pytest.approx(math.log(1 + 3))
        assert positive.abs().max() == negative.abs().max() == 0
        for angle, similarity in ((60, 0.0), (5, 0.2)):
            assert self.gradients(angle, [-0.5, 0.0, similarity])[0] > value

    def test_the_gradient_of_a_negative_is_its_share_over_the_temperature(self):
        _, _, gradient = self.gradients(60, [0.2, 0.5])
        p, n = (0.5 - 0.9) / 0.25, torch.tensor([0.1, 0.4], dtype=torch.float64) / 0.25
        share = n.exp() / (math.exp(p) + n.exp().sum())
        assert torch.allclose(gradient[0], share / self.temperature)


def test_samples_of_the_same_class_are_no_negatives_of_d2d_ce():
    embed, proxy = (value.requires_grad_() for value in random_batch())
    first = D2DCELoss(0.5, 0.6).real(embed, proxy, LABEL)
    terms = data_to_data_cross_entropy(
        embed,
        proxy,
        torch.nn.functional.cosine_similarity(embed[:, None], embed, dim=2),
        LABEL[:, None] != LABEL,
        0.5,
        (0.6, 0.4),
    )
    assert torch.allclose(first, terms.mean())


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("label", [[3], [3, 3, 3]], ids=["one sample", "one class"])
def test_without_negatives_loss_and_gradient_are_zero(loss, label):
    embed = torch.randn(len(label), 3, dtype=torch.float64, requires_grad=True)
    value = loss.real(embed, torch.ones(len(label), 3, dtype=torch.float64), torch.tensor(label))
    (gradient,) = torch.autograd.grad(value, embed)
    assert value.abs() < 1e-12 and gradient.abs().max() < 1e-12


def test_2c_without_others_of_the_class_pulls_to_the_proxy_alone():
    embed, proxy = unit([0, 90]), unit([60, 90])
    value = conditional_contrastive(embed, proxy, torch.tensor([0, 1]), 1.0)[0]
    assert value.item() == pytest.approx(-math.log(math.exp(0.5) / (math.exp(0.5) + 1)))


@pytest.mark.parametrize("loss", [ConditionalContrastiveLoss(0.002), D2DCELoss(0.002)])
def test_small_temperatures_stay_finite_in_single_precision(loss):
    embed, proxy = (value.float().requires_grad_() for value in random_batch())
    loss.real(embed, proxy, LABEL).backward()
    assert torch.isfinite(embed.grad).all()


def test_dropped_negatives_lower_the_loss_and_depend_on_the_iteration_alone():
    batch = (*random_batch(), LABEL)
    whole, loss = D2DCELoss(0.5, 0.6), D2DCELoss(0.5, 0.6, negative_dropout=0.5)
    values = [loss.real(*batch, torch.tensor(i)).item() for i in range(20)]
    assert values == [loss.real(*batch, torch.tensor(i)).item() for i in range(20)]
    assert len(set(values)) > 5
    assert max(values) <= whole.real(*batch).item()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0}, "D2DCELoss: temperature must be positive, got 0"),
        ({"temperature": float("nan")}, "temperature must be positive, got nan"),
        ({"positive_margin": 1.5}, r"positive_margin must lie in \[-1, 1\], got 1.5"),
        ({"negative_margin": -2}, r"negative_margin must lie in \[-1, 1\], got -2"),
        ({"negative_dropout": 1}, r"negative_dropout must lie in \[0, 1\), got 1"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        D2DCELoss(**arguments)


def test_a_bad_temperature_of_2c_is_named():
    with pytest.raises(ValueError, match="ConditionalContrastiveLoss: temperature must be positive, got -1"):
        ConditionalContrastiveLoss(-1)
