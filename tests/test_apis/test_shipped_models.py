"""The shipped generators do what is asked of them: the class, and less variety when truncated."""

import pytest
import torch

from mmcgan.apis import load_model
from mmcgan.extractors.small_classifier import SmallClassifier
from mmcgan.random import make_generator
from mmcgan.structures import Condition
from mmcgan.weights import read_index

PER_CLASS = 8


def same_data(record, classifier):
    keys = ("type", "image_size")
    return all(record["dataset"].get(key) == classifier["dataset"].get(key) for key in keys)


def judged_models():
    """Return (generator, classifier) where both ship, for generators of classes."""
    classifiers = read_index("classifier")
    return [
        (name, judge)
        for name, record in read_index("generator").items()
        for judge, classifier in classifiers.items()
        if same_data(record, classifier) and "conditional_accuracy" in record["metrics"]
    ]


def sampled(loaded, label, seed=0, truncation=None):
    """Return images (N, 3, H, W) in [-1, 1] of ``label``."""
    source = make_generator(seed, "shipped models")
    condition = Condition(label=label)
    return loaded.model.sample(condition, generator=source, truncation=truncation)


@pytest.mark.parametrize(("name", "judge"), judged_models())
def test_asking_for_a_class_gives_that_class(name, judge):
    loaded = load_model(name)
    if loaded.requires != ("label",):
        pytest.skip(f"{name} is conditioned on {loaded.requires}")
    label = torch.arange(loaded.model.generator.num_classes).repeat(PER_CLASS)
    levels = ((sampled(loaded, label) + 1) * 127.5).round().to(torch.uint8)
    with torch.no_grad():
        seen = SmallClassifier(judge)(levels).logits.argmax(1)
    right = (seen == label).float().mean().item()
    # four standard deviations of a draw of this size below the figure of the whole evaluation
    expected = loaded.record.metrics["conditional_accuracy"]
    spread = max(expected * (1 - expected), 0.01) ** 0.5 / len(label) ** 0.5
    assert right > expected - 4 * spread, (
        f"{right:.2f} of the images show their class, expected {expected:.2f}"
    )


@pytest.mark.parametrize(
    "name", ["omnigan_biggan_digits-16", "biggan_digits-16", "omnigan_biggan_fashion-mnist-32"]
)
def test_truncation_reduces_variance(name):
    loaded = load_model(name)
    assert loaded.model.generator.truncates_latent
    label = torch.full((48,), 3)
    spread = [
        sampled(loaded, label, truncation=truncation).var(0).mean().item() for truncation in (None, 0.8, 0.2)
    ]
    assert spread[0] > 1.1 * spread[1] > 1.2 * spread[2], spread
