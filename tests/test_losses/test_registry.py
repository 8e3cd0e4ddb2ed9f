"""Every registered loss: gradcheck of all views, batches without pairs, of one sample."""

import pytest
import torch

from mmcgan.losses.base import PairedLoss
from mmcgan.registry import LOSSES

CLASSES, BATCH = 3, 4
LABEL = torch.tensor([0, 1, 0, 2])
# Columns of `logits` where they are not the number of classes.
COLUMNS = {"MultiHingeLoss": 4, "ImprovedClassificationLoss": 4, "DiscriminativeClassifierLoss": 6}
ARGUMENTS = {
    "TopKLoss": dict(loss=dict(type="NonSaturatingLoss"), epoch_length=2, gamma=0.5, nu=0.25),
    "LeCamLoss": dict(initial=0.25),
    "PerceptualLoss": dict(tap_weights=(0.5, 2.0)),
}
# Losses that compare images with each other, for which one sample or one class leaves nothing.
CONTRASTIVE = ("ConditionalContrastiveLoss", "D2DCELoss")


def ours():
    """Return the names of the package's own losses."""
    classes = {name: LOSSES.get(name) for name in LOSSES.names()}
    return sorted(name for name, kind in classes.items() if kind.__module__.startswith("mmcgan.losses"))


class TwoTaps(torch.nn.Module):
    """Stands for VGG19, whose weights are nobody's to ship."""

    def forward(self, image):
        return [image.tanh(), image.square()]


def build(name):
    # made here: a config cannot hold a network
    networks = {"features": TwoTaps()} if name == "PerceptualLoss" else {}
    return LOSSES.build(dict(type=name, **ARGUMENTS.get(name, {}), **networks))


def inputs(name, size=BATCH, seed=0):
    """Return a smooth point for every input of the loss; an unknown input is a KeyError: add it."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(size, *shape, dtype=torch.float64, generator=generator)

    label, code = LABEL[:size], torch.randint(0, 5, (size, 2), generator=generator)
    if name == "CategoricalCodeLoss":
        return {"logits": normal(2, 5), "code": code}
    known = {
        "logit": lambda: normal(),
        "logits": lambda: normal(COLUMNS.get(name, CLASSES)),
        "score": lambda: normal(CLASSES + 2),
        "embed": lambda: normal(5),
        "proxy": lambda: torch.randn(CLASSES, 5, dtype=torch.float64)[label],
        "feature": lambda: normal(5),
        "mean": lambda: normal(2),
        "variance": lambda: normal(2).exp(),
        "log_variance": lambda: normal(2),
        "image": lambda: normal(3, 4, 4),
        "code": lambda: normal(2),
        "label": lambda: label,
        "iteration": lambda: torch.tensor(3),
    }
    kind = LOSSES.get(name)
    names = kind.input_names if issubclass(kind, PairedLoss) else kind.default_inputs
    return {argument: known[argument]() for argument in names}


def learnable(point):
    return [key for key, value in point.items() if value.is_floating_point() and key != "code"]


def views(name):
    return [(name, view) for view in LOSSES.get(name).implemented_views()]


@pytest.mark.parametrize(("name", "view"), [pair for name in ours() for pair in views(name)])
def test_gradcheck(name, view):
    torch.manual_seed(1)
    loss, point, other = build(name), inputs(name), inputs(name, seed=1)
    keys = learnable(point)
    if name == "LeCamLoss":
        loss.update = lambda *_: None  # the averages stay put while one point is probed

    def value(*leaves):
        moved = {**point, **dict(zip(keys, leaves, strict=True))}
        return (
            getattr(loss, view)(moved, other)
            if isinstance(loss, PairedLoss)
            else getattr(loss, view)(**moved)
        )

    leaves = [point[key].requires_grad_() for key in keys]
    assert torch.autograd.gradcheck(value, leaves)
    gradients = torch.autograd.grad(value(*leaves), leaves, allow_unused=True)
    assert any(g is not None and g.abs().max() > 0 for g in gradients)


@pytest.mark.parametrize(("name", "view"), [pair for name in ours() for pair in views(name)])
def test_a_batch_of_one_is_finite(name, view):
    torch.manual_seed(1)
    loss, point, other = build(name), inputs(name, size=1), inputs(name, size=1, seed=1)
    keys = learnable(point)
    leaves = [point[key].requires_grad_() for key in keys]
    value = (
        getattr(loss, view)(point, other) if isinstance(loss, PairedLoss) else getattr(loss, view)(**point)
    )
    gradients = torch.autograd.grad(value, leaves, allow_unused=True)
    assert value.isfinite() and all(g is None or g.isfinite().all() for g in gradients)


@pytest.mark.parametrize("name", CONTRASTIVE)
@pytest.mark.parametrize(
    ("label", "zero"),
    [
        pytest.param([1], True, id="one sample"),
        pytest.param([1, 1, 1], True, id="no negatives"),
        pytest.param([0, 1, 2], False, id="no other positives"),
    ],
)
def test_degenerate_batches_of_contrastive_losses(name, label, zero):
    torch.manual_seed(1)
    embed = torch.randn(len(label), 5, dtype=torch.float64, requires_grad=True)
    proxy = torch.randn(3, 5, dtype=torch.float64)[label]
    value = build(name).real(embed, proxy, torch.tensor(label))
    (gradient,) = torch.autograd.grad(value, embed)
    assert gradient.isfinite().all()
    assert (value.item() == pytest.approx(0, abs=1e-12)) is zero
    assert bool(gradient.abs().max() < 1e-12) is zero


def test_top_k_refuses_a_loss_without_logits():
    with pytest.raises(
        ValueError, match="must act on one logit in all views, as HingeLoss does; got 'OmniLoss'"
    ):
        LOSSES.build(dict(type="TopKLoss", loss=dict(type="OmniLoss"), epoch_length=1))


def test_the_gradient_of_cross_entropy_is_equation_4():
    """ReACGAN, Eq. 4: dL/dw_k = f * (p_k - 1[k = y]), so its norm is that of the feature times the error."""
    torch.manual_seed(0)
    weight = torch.randn(5, 7, dtype=torch.float64, requires_grad=True)
    feature, label = torch.randn(4, 7, dtype=torch.float64) * 10, torch.tensor([0, 3, 3, 1])
    logits = feature @ weight.T
    (gradient,) = torch.autograd.grad(LOSSES.build(dict(type="CrossEntropyLoss")).real(logits, label), weight)
    error = logits.softmax(1) - torch.nn.functional.one_hot(label, 5)
    assert torch.allclose(gradient, error.T @ feature / 4, atol=1e-12)
    (norm,) = torch.autograd.grad(
        LOSSES.build(dict(type="CrossEntropyLoss")).real(feature[:1] @ weight.T, label[:1]), weight
    )
    assert torch.allclose(norm.norm(dim=1), feature[0].norm() * error[0].abs(), atol=1e-12)
