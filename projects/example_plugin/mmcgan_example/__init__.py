"""An example plugin: one head, one loss, one config. Importing it registers both components."""

from pathlib import Path

from mmcgan_example.head import CosineHead
from mmcgan_example.loss import LogisticLoss

# configs in here are found by name: mmcgan train cosine_biggan_digits-16
CONFIG_FOLDER = Path(__file__).parent / "configs"

__all__ = ["CONFIG_FOLDER", "CosineHead", "LogisticLoss"]
