"""What an evaluation asks of an instance-conditioned generator."""

from __future__ import annotations

from typing import Any

from mmcgan.datasets.conditions.drawn_conditions import DrawnConditionDataset
from mmcgan.registry import DATASETS


@DATASETS.register_module()
class InstanceConditionDataset(DrawnConditionDataset):
    """Seeded instances, labels and latents: item i is a function of (seed, i) alone.

    Its sampler may look into another store than training does: instances of images, or of classes, that were
    never trained on; IC-GAN is evaluated with ``KMeansInstances``. Arguments and errors are those of
    :class:`~mmcgan.datasets.conditions.drawn_conditions.DrawnConditionDataset`.
    """

    disk_arguments = ()

    @property
    def metainfo(self) -> dict[str, Any]:
        """What was asked: also how many instances there are."""
        return {**super().metainfo, "instances": self.condition_sampler.number_of_instances}
