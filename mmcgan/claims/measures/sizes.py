"""Whether a generator of any size makes better large images than its own small ones, enlarged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.nn.functional import interpolate

from mmcgan.claims.run import Run
from mmcgan.extractors.base import quantize
from mmcgan.random import make_generator

BATCH = 250


def enlarged(
    run: Run, size: int, extractor: Mapping[str, Any], real: Mapping[str, Any], count: int = 5000
) -> dict[str, float]:
    """Return the Fréchet distances of large images to real ones of that size.

    ``rendered``: asked for at ``size``. ``bicubic``: the same latents and conditions asked for at the size of
    training, enlarged by bicubic interpolation with values kept in [-1, 1]. ``nearest``: enlarged by repeated
    pixels.

    Args:
        run: of a generator with an implicit output layer.
        size: side of the large images.
        extractor: config of what the features are of.
        real: config of a data set of real images of that size.
        count: images of each kind; all real ones.
    """
    from mmcgan.evaluation.statistics.frechet import StreamingMoments, frechet_distance
    from mmcgan.registry import DATASETS, EXTRACTORS

    judge, images = EXTRACTORS.build(dict(extractor)), DATASETS.build(dict(real))
    loaded = run.source.load(run)
    source = make_generator(run.seed, "enlarged")
    found = {kind: StreamingMoments() for kind in ("rendered", "bicubic", "nearest", "real")}
    for start in range(0, len(images), BATCH):
        rows = list(range(start, min(start + BATCH, len(images))))
        found["real"].update(judge(images.__getitems__(rows)["image"]).features)
    for start in range(0, count, BATCH):
        number = min(BATCH, count - start)
        condition = loaded.condition_sampler.sample(number, source)
        latent = loaded.model.latent_sampler.sample(number, source)
        small = loaded.model.sample(condition, latent)
        for kind in ("bicubic", "nearest"):
            large = interpolate(small, size=size, mode=kind).clamp(-1, 1)
            found[kind].update(judge(quantize(large)).features)
        large = loaded.model.sample(condition, latent, size=(size, size))
        found["rendered"].update(judge(quantize(large)).features)
    truth = found.pop("real").compute()
    made = {kind: moments.compute() for kind, moments in found.items()}
    return {
        kind: frechet_distance(each.mean, each.covariance, truth.mean, truth.covariance)
        for kind, each in made.items()
    }
