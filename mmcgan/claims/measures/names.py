"""Whether a generator shows the classes, and whether it shows them under their names."""

from __future__ import annotations

import torch

from mmcgan.claims.run import Run
from mmcgan.extractors.base import quantize
from mmcgan.random import make_generator


def class_names(run: Run, extractor: str, weights: str, count: int = 5000) -> dict[str, float]:
    """Return how often samples show the class that was asked for, by its name and after renaming.

    ``accuracy``: a classifier sees the class asked for. ``renamed``: the same after that permutation of
    classes that makes it largest. ``purity``: share of samples whose seen class is the most frequent one
    among those that were asked for alike. ``lost``: ``renamed`` minus ``accuracy``, what wrong names cost.

    Args:
        run: of a generator with labels.
        extractor, weights: of the classifier.
        count: samples, all classes equally often.
    """
    from scipy.optimize import linear_sum_assignment

    from mmcgan.registry import EXTRACTORS
    from mmcgan.structures import Condition

    judge = EXTRACTORS.build({"type": extractor, "weights": weights})
    loaded = run.source.load(run)
    classes = loaded.size_of("label")
    label = torch.arange(count) % classes
    source = make_generator(run.seed, "names of classes")
    table = torch.zeros(classes, classes, dtype=torch.int64)
    for asked in label.split(500):
        image = loaded.model.sample(Condition(label=asked), generator=source)
        seen = judge(quantize(image)).logits.argmax(1)
        table.index_put_((asked, seen), torch.ones_like(asked), accumulate=True)
    rows, columns = linear_sum_assignment(table.numpy(), maximize=True)
    renamed = float(table[rows, columns].sum()) / count
    accuracy = float(table.diagonal().sum()) / count
    purity = float(table.amax(1).sum()) / count
    return {"accuracy": accuracy, "renamed": renamed, "purity": purity, "lost": renamed - accuracy}
