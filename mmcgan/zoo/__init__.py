"""Trained models, ours and published ones: what is known of them, and how they are fetched."""

from mmcgan.zoo.record import Figures, ZooRecord
from mmcgan.zoo.store import find_record, published_records

__all__ = ["Figures", "ZooRecord", "find_record", "published_records"]
