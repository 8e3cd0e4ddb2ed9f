"""An example plugin with a class of every role. Importing it registers them."""

from pathlib import Path

from mmcgan_example import (
    augment,
    backbone,
    condition_field,
    condition_sampler,
    dataset,
    extractor,
    generator,
    head,
    hook,
    latent_sampler,
    loss,
    metric,
    regularizer,
)

# configs in here are found by name: mmcgan train cosine_biggan_digits-16
CONFIG_FOLDER = Path(__file__).parent / "configs"

__all__ = [
    "CONFIG_FOLDER",
    "augment",
    "backbone",
    "condition_field",
    "condition_sampler",
    "dataset",
    "extractor",
    "generator",
    "head",
    "hook",
    "latent_sampler",
    "loss",
    "metric",
    "regularizer",
]
