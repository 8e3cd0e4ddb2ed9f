"""Trained models, ours and published ones: what is known of them, and how they are fetched."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.zoo.record import Figures, ZooRecord
    from mmcgan.zoo.store import find_record, published_records
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["Figures", "ZooRecord", "find_record", "published_records"]
