"""Train a small classifier of attributes: every group judged by one network."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.extractor_training.held_out import held_out_rows
from mmcgan.extractor_training.train_classifier import Progress, Recipe, train_network
from mmcgan.extractors.attribute_classifier import attribute_hits
from mmcgan.extractors.base import Preprocessing
from mmcgan.extractors.classifier_file import ClassifierRecord, halve, save_classifier
from mmcgan.extractors.small_network import SmallNetwork
from mmcgan.precision import resolve
from mmcgan.registry import DATASETS


def attribute_loss(logits: Tensor, attributes: Tensor, groups: AttributeGroups) -> Tensor:
    """Return the sum over groups of cross-entropy (exclusive) or mean binary cross-entropy (free)."""
    total = logits.new_zeros(())
    for group in groups:
        own, wanted = logits[:, group.columns], attributes[:, group.columns]
        if group.exclusive:
            total = total + F.cross_entropy(own, wanted.argmax(1))
        else:
            total = total + F.binary_cross_entropy_with_logits(own, wanted)
    return total


def train_attribute_classifier(
    recipe: Recipe, out: Path, command: str, progress: Progress | None = None
) -> ClassifierRecord:
    """Train on a data set with attributes, measure on its test images, write ``out``.

    Args:
        recipe, out, command, progress: as in ``train_classifier``; what is held out is a share of the images
            of each combination of attributes.

    Raises:
        ValueError: test images with other attributes, or no two images of one combination.
    """
    start = time.monotonic()
    train, test, groups = _read(recipe)
    options = recipe.options
    if recipe.test is None:  # somebody's own images may be few
        options = replace(options, batch_size=min(options.batch_size, max(2, len(train["image"]) // 4)))
    network = train_network(
        (train["image"], train["attributes"]),
        len(groups),
        options,
        progress,
        lambda logits, wanted: attribute_loss(logits, wanted, groups),
    )
    network.load_state_dict({key: value.float() for key, value in halve(network.state_dict()).items()})
    shares = accuracy_by_group(network, test["image"], test["attributes"], groups)
    record = ClassifierRecord(
        image_size=train["image"].shape[-1],
        widths=recipe.options.widths,
        classes=tuple(f"{group.name}={name}" for group in groups for name in group.names),
        dataset=dict(recipe.train),
        test_accuracy=shares.pop("all"),
        test_images=len(test["image"]),
        command=command,
        seed=recipe.options.seed,
        seconds=round(time.monotonic() - start, 1),
        precision=resolve(recipe.options.precision, "cpu"),
        held_out=recipe.held_out if recipe.test is None else 0.0,
        attributes=groups.to_config(),
        group_accuracy=shares,
    )
    save_classifier(out, network, record)
    return record


def _read(recipe: Recipe) -> tuple[dict[str, Tensor], dict[str, Tensor], AttributeGroups]:
    """Return images and attributes to train and to test on, and the groups of these."""
    train_set = DATASETS.build(dict(recipe.train))
    groups: AttributeGroups = train_set.groups
    train = train_set.__getitems__(range(len(train_set)))
    if recipe.test is None:
        combination = train["attributes"].unique(dim=0, return_inverse=True)[1]
        tested = held_out_rows(combination, recipe.held_out, recipe.options.seed)
        both = [{key: train[key][rows] for key in ("image", "attributes")} for rows in (~tested, tested)]
        return both[0], both[1], groups
    test_set = DATASETS.build(dict(recipe.test))
    if test_set.groups != groups:
        raise ValueError(f"test images have other attributes: {test_set.groups.describe()}")
    return train, test_set.__getitems__(range(len(test_set))), groups


@torch.no_grad()
def accuracy_by_group(
    network: SmallNetwork, images: Tensor, attributes: Tensor, groups: AttributeGroups, batch_size: int = 500
) -> dict[str, float]:
    """Return the share of images recognised, by attribute as in :func:`attribute_hits`, and ``all``."""
    preprocess = Preprocessing(images.shape[-1])
    network.eval()
    logits = torch.cat([network(preprocess(part))[1] for part in images.split(batch_size)])
    hits = attribute_hits(logits, attributes, groups)
    together = torch.stack(list(hits.values())).all(0)
    return {name: float(hit.double().mean()) for name, hit in {**hits, "all": together}.items()}
