"""Looking at what a generator has learnt: directions of its latents, ways between images."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.analysis.directions import Directions, move, sefa_directions, walk
    from mmcgan.analysis.labels import ascending_labels, label_blocks, some_ascending_labels
    from mmcgan.analysis.paths import METHODS, interpolate, perturb
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "METHODS",
    "Directions",
    "ascending_labels",
    "interpolate",
    "label_blocks",
    "move",
    "perturb",
    "sefa_directions",
    "some_ascending_labels",
    "walk",
]
