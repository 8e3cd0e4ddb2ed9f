"""Checkers: IC-GAN's neighbours, k-means instances, conditioning draws, pairs and long-tail statistics."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mmcgan.datasets.base import MemoryDataset
from mmcgan.datasets.class_order import image_weights
from mmcgan.datasets.neighbourhood import NeighbourhoodDataset
from mmcgan.datasets.order import Draw
from mmcgan.instances.kmeans import nearest_rows
from mmcgan.instances.neighbours import NeighbourSearch, TensorRows
from mmcgan.instances.store import MemoryStore
from mmcgan.random import make_generator
from mmcgan.registry import SAMPLERS
from mmcgan.samplers.label import EmpiricalLabel, TemperatureLabel
from tests.parity.cases import GoldenCase, find_cases, load_case
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Unsupported, checker

EXACT = Tolerance(1e-9, 1e-9)
RADIUS = Tolerance(1e-4, 2e-4)
FEATURES = Tolerance(1e-5, 1e-7)
DRAWS = 2_000_000
# five standard deviations of a share of 2,000,000 draws, at most
SHARE = Tolerance(1e-4, 1.8e-3)


def shares(values: Tensor, size: int) -> Tensor:
    """Return how often each of ``size`` values occurs, float64."""
    return torch.bincount(values, minlength=size).double() / len(values)


@checker(("ic_gan", "knn"))
def check_neighbours(case: GoldenCase, comparison: Comparison) -> None:
    """Normalised features, the neighbours' order and the radius."""
    features = normalize(case.tensors["in/feats_fp16"])
    given = case.tensors.get("out/normalised_feats")
    if given is not None:
        comparison.equal("out/normalised_feats", features[: len(given)], given, FEATURES)
    wanted = case.tensors["out/sample_nns"]
    found = NeighbourSearch(TensorRows(features), wanted.shape[1]).search(0, len(features))
    comparison.equal("out/sample_nns", found.index, wanted, EXACT)
    for name in ("sample_nns_radius", "radius_in_memory_path"):
        if f"out/{name}" in case.tensors:
            comparison.equal(f"out/{name}", found.radius, case.tensors[f"out/{name}"], RADIUS)


def _features(case: GoldenCase) -> Tensor:
    """Return the case's features, or those of the case beside it that its description names."""
    if "in/feats_fp16" in case.tensors:
        return case.tensors["in/feats_fp16"]
    named = re.search(r'case "(\w+)"', str(case.spec.get("features", "")))
    for stem in find_cases(case.path.parent) if named else []:
        other = load_case(stem)
        if other.spec.get("case") == named[1] and "in/feats_fp16" in other.tensors:  # type: ignore[index]
            return other.tensors["in/feats_fp16"]
    raise Unsupported("k-means without the features of its images")


@checker(("ic_gan", "kmeans"))
def check_selection(case: GoldenCase, comparison: Comparison) -> None:
    """The image nearest to each recorded centroid; twice the same is left as it is here."""
    table = TensorRows(normalize(_features(case)))
    index, _ = nearest_rows(table, case.tensors["in/centroids"])
    comparison.equal("out/center_examples", index, case.tensors["out/center_examples"], EXACT)


@checker(("ic_gan", "cond_sampling"))
def check_draws(case: GoldenCase, comparison: Comparison) -> None:
    """The laws of instances and labels, from many draws of our samplers."""
    labels, near = case.tensors["in/labels"], case.tensors["in/sample_nns"]
    num_classes = len(case.tensors["in/weights_class"])
    store = MemoryStore(torch.zeros(len(labels), 1), near, labels, num_classes)
    weights = {name: case.tensors[f"in/weights_{name}"].tolist() for name in ("instance", "class")}
    kinds: dict[str, dict[str, Any]] = {
        "label_uniform_instances": dict(type="AllInstances"),
        "label_weighted_instances": dict(type="WeightedInstances", weights=weights["instance"]),
        "nnclass": dict(type="ClassInstances", class_weights=weights["class"]),
    }
    drawn = {}
    for name, kind in kinds.items():
        sampler = SAMPLERS.build({**kind, "instance_store": store, "num_classes": num_classes})
        drawn[name] = sampler.draw(DRAWS, make_generator(0, name))
    for name in ("label_uniform_instances", "label_weighted_instances"):
        wanted = case.tensors[f"out/p_{name}"]
        comparison.equal(f"out/p_{name}", shares(drawn[name][1], num_classes), wanted, SHARE)
    index, label = drawn["nnclass"]
    wanted = case.tensors["out/p_instance_nnclass"]
    comparison.equal("out/p_instance_nnclass", shares(index, len(labels)), wanted, SHARE)
    wanted = case.tensors["out/p_label_nnclass"]
    comparison.equal("out/p_label_nnclass", shares(label, num_classes), wanted, SHARE)


@checker(("ic_gan", "dataset_items"))
def check_pairs(case: GoldenCase, comparison: Comparison) -> None:
    """Which images an item shows, with which label and feature.

    With a k-means selection the peer shows images near a random other centre; ours stay near their own.
    """
    features, labels = normalize(case.tensors["in/feats_fp16"]), case.tensors["in/labels"]
    store = MemoryStore(features, case.tensors["in/sample_nns"], labels, int(labels.max()) + 1)
    pixels = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1)
    classes = [str(label) for label in range(store.num_classes)]
    images = dict(type=MemoryDataset, images=pixels, labels=labels, classes=classes)
    dataset = NeighbourhoodDataset(images, store)  # type: ignore[arg-type]
    for key, wanted in case.tensors.items():
        named = re.fullmatch(r"out/item(\d+)_neighbour_indices_seen", key)
        if named is None:
            continue
        item = int(named[1])
        batch = dataset.__getitems__([Draw(item, position) for position in range(400)])
        shown = batch["image"][:, 0, 0, 0].long()
        comparison.equal(key, shown.unique(), wanted.sort().values, EXACT)
        comparison.equal(f"label of {key}", batch["label"], labels[shown], EXACT)
        comparison.equal(f"feature of {key}", batch["instance"], features[item].expand(400, -1), EXACT)


@checker(("ic_gan", "longtail"))
def check_long_tail(case: GoldenCase, comparison: Comparison) -> None:
    """Label laws at temperatures and the weights of the training images."""
    tensors = case.tensors
    labels, counts = tensors["in/labels"], tensors["in/samples_per_class"]
    laws = {
        f"temperature_{t}": TemperatureLabel(tensors["in/class_prob"], float(t)).probabilities
        for t in case.spec["temperatures"]
    }
    laws["longtail_gen"] = EmpiricalLabel(tensors["in/class_prob"]).probabilities
    for name, law in laws.items():
        if f"out/class_prob_{name}" in tensors:
            comparison.equal(f"out/class_prob_{name}", law, tensors[f"out/class_prob_{name}"])
        if f"out/example_weights_{name}" in tensors:
            ours = image_weights(labels, law)
            comparison.equal(f"out/example_weights_{name}", ours, tensors[f"out/example_weights_{name}"])
    if "out/example_weights_balanced" in tensors:
        # the peer's "balanced" classes weigh N / count: images of a class together still 1 / count
        ours = image_weights(labels, counts.sum() / counts.double())
        comparison.equal("out/example_weights_balanced", ours, tensors["out/example_weights_balanced"])
