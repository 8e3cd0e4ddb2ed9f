"""Checks for the tests of plugins: what mmcgan asks of a class beyond its having the right members.

Each takes a built component, or its config, and raises :class:`CheckError` with what is wrong; all of
mmcgan's own classes pass them. ``check_generator(MixerGenerator(image_size=16,
num_classes=3))`` in a test is enough.
"""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.testing.conditions import check_condition_field
    from mmcgan.testing.data import check_dataset
    from mmcgan.testing.evaluation import check_extractor, check_metric
    from mmcgan.testing.networks import check_backbone, check_generator, check_head
    from mmcgan.testing.objectives import check_augment, check_loss, check_regularizer
    from mmcgan.testing.optimization import check_optim_wrapper, check_optimizer
    from mmcgan.testing.reading import check_data_sampler, check_transform
    from mmcgan.testing.requirements import CheckError
    from mmcgan.testing.runs import check_hook
    from mmcgan.testing.samplers import check_condition_sampler, check_latent_move, check_latent_sampler
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "CheckError",
    "check_augment",
    "check_backbone",
    "check_condition_field",
    "check_condition_sampler",
    "check_data_sampler",
    "check_dataset",
    "check_extractor",
    "check_generator",
    "check_head",
    "check_hook",
    "check_latent_move",
    "check_latent_sampler",
    "check_loss",
    "check_metric",
    "check_optim_wrapper",
    "check_optimizer",
    "check_regularizer",
    "check_transform",
]
