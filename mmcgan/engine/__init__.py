"""What drives training: runner, loop, state and signals."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.engine.loop import GANTrainLoop
    from mmcgan.engine.random_state import preserved_random_state
    from mmcgan.engine.runner import GANRunner
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["GANRunner", "GANTrainLoop", "preserved_random_state"]
