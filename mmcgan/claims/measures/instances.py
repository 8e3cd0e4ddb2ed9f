"""How much the instance and the noise decide of an image (IC-GAN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmcgan.claims.run import Run
from mmcgan.extractors.base import Extractor, quantize
from mmcgan.random import make_generator


def variety(
    run: Run, extractor: str, weights: str, instances: int = 500, neighbours: int = 20
) -> dict[str, float]:
    """Return mean distances between features of images that share an instance, a latent, or nothing.

    ``same_instance``: two latents of one instance. ``same_latent``: one latent, two instances. ``apart``:
    neither. ``neighbours``: two of the real images nearest to a real image, which is what an instance stands
    for in training; ``half_of_neighbours`` is half of that.

    Args:
        run: of an instance-conditioned generator.
        extractor, weights: of the features that are compared, not those of the instances.
        instances: pairs of each kind.
        neighbours: real images that count as near.

    Raises:
        ValueError: the model keeps neither instances nor its data set.
    """
    from mmcgan.registry import EXTRACTORS

    judge = EXTRACTORS.build({"type": extractor, "weights": weights})
    loaded = run.source.load(run)
    source = make_generator(run.seed, "variety of instances")
    condition = loaded.condition_sampler.sample(instances, source)
    latent = loaded.model.latent_sampler.sample(2 * instances, source)
    first, second = latent[:instances], latent[instances:]

    def features(latents: Tensor) -> Tensor:
        return judge(quantize(loaded.model.sample(condition, latents))).features

    plain, other_latent = features(first), features(second)
    moved, same_latent = plain.roll(1, 0), features(first.roll(1, 0))
    near = _between_neighbours(judge, loaded.record.dataset, instances, neighbours, source)
    return {
        "same_instance": _distance(plain, other_latent),
        # row i has the condition of i and the latent of i - 1, as row i - 1 of the first has it
        "same_latent": _distance(moved, same_latent),
        "apart": _distance(moved, other_latent),
        "neighbours": near,
        "half_of_neighbours": near / 2,
    }


def _distance(first: Tensor, second: Tensor) -> float:
    return float((first - second).norm(dim=1).mean())


def _between_neighbours(
    judge: Extractor, dataset: Mapping[str, Any], pairs: int, neighbours: int, source: torch.Generator
) -> float:
    from mmcgan.registry import DATASETS

    images = DATASETS.build(dict(dataset.get("dataset") or dataset))
    rows = range(len(images))
    features = torch.cat(
        [judge(_images(images, rows[i : i + 500])).features for i in range(0, len(rows), 500)]
    )
    chosen = torch.randint(len(features), (pairs,), generator=source)
    near = torch.cdist(features[chosen], features).topk(neighbours + 1, largest=False).indices[:, 1:]
    order = torch.rand(near.shape, generator=source).argsort(dim=1)[:, :2]
    pair = near.gather(1, order)
    return _distance(features[pair[:, 0]], features[pair[:, 1]])


def _images(dataset: Any, rows: range) -> Tensor:
    return dataset.__getitems__(list(rows))["image"]
