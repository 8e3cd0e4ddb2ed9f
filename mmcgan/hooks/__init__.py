"""What runs at intervals beside the training step."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.hooks.checkpoint import GANCheckpointHook
    from mmcgan.hooks.collapse_guard import CollapseGuardHook
    from mmcgan.hooks.discriminator_diagnostics import DiscriminatorDiagnosticsHook
    from mmcgan.hooks.early_stop import EarlyStopHook
    from mmcgan.hooks.ema import GeneratorEMAHook
    from mmcgan.hooks.finite_guard import FiniteGuardHook
    from mmcgan.hooks.sample_grid import SampleGridHook
    from mmcgan.hooks.schedule import ScheduleHook
    from mmcgan.hooks.throughput import ThroughputHook
    from mmcgan.hooks.weight_decay import WeightDecayScheduleHook
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "CollapseGuardHook",
    "DiscriminatorDiagnosticsHook",
    "EarlyStopHook",
    "FiniteGuardHook",
    "GANCheckpointHook",
    "GeneratorEMAHook",
    "SampleGridHook",
    "ScheduleHook",
    "ThroughputHook",
    "WeightDecayScheduleHook",
]
