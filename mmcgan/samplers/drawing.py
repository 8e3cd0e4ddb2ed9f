"""The one drawing of latents and conditions: image number i of a seed, whoever asks for it.

Evaluations, ``mmcgan sample``, ``interpolate`` and ``sefa``, sample grids of training and
:class:`~mmcgan.apis.CGANInferencer` all draw here. What belongs to a number depends on the seed and the
number alone: not on how many images are made, in which batches or by how many processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Generator, Tensor

from mmcgan.random import make_generator
from mmcgan.returned import check_condition, check_latents
from mmcgan.samplers.latent import truncate_latent
from mmcgan.structures import Condition

# the name under which evaluations have always drawn, so that recorded figures stay those of today
STREAM = "evaluation"
LATENT, LABEL, INSTANCE, ATTRIBUTES = "latent", "label", "instance", "attributes"


def number_source(seed: int, what: str, number: int) -> Generator:
    """Return the generator of ``what`` (``LATENT``, ``LABEL``, ...) for image ``number`` of ``seed``."""
    return make_generator(seed, STREAM, what, number)


def draw_latents(law: Any, seed: int, numbers: Iterable[int], truncation: float | None = None) -> Tensor:
    """Return the latents (N, D) of images by number.

    Args:
        law: a latent sampler.
        seed: another seed, other latents.
        numbers: of the N images, at least one.
        truncation: threshold, see :meth:`~mmcgan.samplers.base.LatentSampler.truncate`; None for none.

    Raises:
        ValueError: ``truncation`` is not positive, or the law has no truncation.
    """
    rows = []
    for number in numbers:
        source = number_source(seed, LATENT, number)
        latent = law.sample(1, source)
        check_latents(law, "sample", latent, 1, law.latent_dim)
        rows.append(latent if truncation is None else truncate_latent(law, latent, truncation, source))
    return torch.cat(rows)


def draw_conditions(sampler: Any, seed: int, numbers: Iterable[int], what: str) -> Condition:
    """Return the conditions that ``sampler`` draws for images by number.

    Args:
        sampler: of conditions.
        seed: another seed, other conditions.
        numbers: of the images, at least one.
        what: which stream, ``INSTANCE``, ``LABEL`` or ``ATTRIBUTES``.
    """
    drawn = [sampler.sample(1, number_source(seed, what, number)) for number in numbers]
    for each in drawn:
        check_condition(sampler, "sample", each, 1)
    return Condition.cat(drawn)
