"""The gradient of AC-GAN's classifier (ReACGAN, Eq. 4), and what normalisation does to it."""

import pytest
import torch

from mmcgan.losses import CrossEntropyLoss
from mmcgan.models.heads import ClassifierHead
from mmcgan.structures import Condition

LABEL = torch.tensor([1, 0, 2])


def classifier_gradient(features, normalize=False):
    """Return the gradient of the weights, the weights and the class probabilities."""
    torch.manual_seed(0)
    head = ClassifierHead(4, 3, spectral_norm=False, bias=False, normalize=normalize).double()
    logits = head({"pooled": features}, Condition())["logits"]
    (gradient,) = torch.autograd.grad(CrossEntropyLoss().real(logits, LABEL), head.linear.weight)
    return gradient, logits.softmax(1)


def test_the_gradient_is_feature_times_probability_error():
    features = torch.randn(3, 4, dtype=torch.float64)
    gradient, probability = classifier_gradient(features)
    error = probability - torch.nn.functional.one_hot(LABEL, 3)
    assert torch.allclose(gradient, error.T @ features / 3)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_normalised_features_bound_the_gradient_whatever_their_length(scale):
    features = scale * torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradient, probability = classifier_gradient(features, normalize=True)
    error = probability - torch.nn.functional.one_hot(LABEL, 3)
    bound = error.abs().mean(0)
    assert (gradient.norm(dim=1) <= bound + 1e-12).all()


def test_without_normalisation_long_features_explode_it():
    features = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    short, long = (classifier_gradient(scale * features)[0].norm() for scale in (1, 100))
    assert long > 50 * short
