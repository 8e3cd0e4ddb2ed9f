"""Groups of classes, and moments of the features of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mmcgan.evaluation.statistics.frechet import StreamingMoments


def class_groups(class_counts: Sequence[int], many: int = 100, few: int = 20) -> dict[str, list[int]]:
    """Return the classes by number of training images: many >= ``many``, few <= ``few``, medium between.

    The groups of long-tailed data in IC-GAN (Casanova et al. 2021, Appendix G). Empty groups are left out.

    Raises:
        ValueError: ``few`` is not below ``many``.
    """
    if few >= many:
        raise ValueError(f"few={few} must be below many={many}")
    rules = {
        "many": lambda count: count >= many,
        "medium": lambda count: few < count < many,
        "few": lambda count: count <= few,
    }
    found = {name: [i for i, n in enumerate(class_counts) if rule(n)] for name, rule in rules.items()}
    return {name: members for name, members in found.items() if members}


class GroupMoments:
    """Streamed moments of one group of labels per name."""

    def __init__(self, groups: Mapping[str, Sequence[int]]) -> None:
        self.groups = groups
        self.moments = {name: StreamingMoments() for name in groups}

    def update(self, features: Tensor, label: Tensor) -> None:
        """Add features (N, F) of images with labels (N,); labels in no group are left out."""
        label = label.to(features.device)
        for name, members in self.groups.items():
            chosen = torch.isin(label, torch.tensor(members, device=label.device))
            self.moments[name].update(features[chosen])

    def merge(self) -> None:
        """Combine the moments of all ranks."""
        for moments in self.moments.values():
            moments.merge()
