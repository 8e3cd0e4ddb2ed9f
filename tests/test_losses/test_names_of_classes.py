"""What it costs, in each loss, to show the classes under each other's names (ReACGAN, Appendix F)."""

import pytest
import torch

from mmcgan.losses import ConditionalContrastiveLoss, D2DCELoss

BATCH = 64
LOSSES = {
    "2C": ConditionalContrastiveLoss(),
    "Eq. 5": D2DCELoss(positive_margin=1.0, negative_margin=-1.0),
    "D2D-CE": D2DCELoss(),
}


def share_of_names(loss, classes):
    """Return how much of the way from noise to perfection wrong names cost, and the pull to the right ones.

    Perfect: every embedding lies on its proxy, and proxies are orthogonal. Wrong names: on the next class's.
    """
    label = torch.arange(BATCH) % classes
    table = torch.eye(BATCH)[:classes]
    proxy, renamed = table[label], table[(label + 1) % classes].requires_grad_()
    noise = torch.randn(BATCH, BATCH, generator=torch.Generator().manual_seed(0))
    right, wrong, random = (loss.real(embed, proxy, label) for embed in (proxy, renamed, noise))
    (gradient,) = torch.autograd.grad(wrong, renamed)
    pull = -(gradient * proxy).sum(1).mean() / gradient.norm(dim=1).mean()
    return float((wrong - right).detach() / (random - right)), float(pull)


def test_with_six_others_of_its_class_2c_hardly_sees_a_name():
    share, pull = share_of_names(LOSSES["2C"], 10)
    assert share == pytest.approx(0.1, abs=0.02), "a tenth of what there is to gain"
    assert pull < 0, "from wrong names the gradient leads further away"


def test_alone_of_its_class_2c_sees_the_name():
    share, pull = share_of_names(LOSSES["2C"], BATCH)
    assert share > 0.9 and pull > 0.9


@pytest.mark.parametrize("name", ["Eq. 5", "D2D-CE"])
@pytest.mark.parametrize("classes", [10, BATCH])
def test_pulled_to_the_proxy_alone_a_loss_is_about_names(name, classes):
    share, pull = share_of_names(LOSSES[name], classes)
    assert share > 0.9 and pull > 0.7
