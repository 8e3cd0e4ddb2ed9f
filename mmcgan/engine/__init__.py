"""What drives training: runner, loop, state and signals."""

from mmcgan.engine.loop import GANTrainLoop
from mmcgan.engine.random_state import preserved_random_state
from mmcgan.engine.runner import GANRunner

__all__ = ["GANRunner", "GANTrainLoop", "preserved_random_state"]
