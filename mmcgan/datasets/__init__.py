"""Image datasets, the order they are read in, and the seeded conditions of an evaluation."""

from mmcgan.datasets.base import ImageDataset, MemoryDataset
from mmcgan.datasets.digits import DigitsDataset
from mmcgan.datasets.fashion_mnist import FashionMNIST
from mmcgan.datasets.order import Draw, InfiniteShuffle, gan_collate

__all__ = [
    "DigitsDataset",
    "Draw",
    "FashionMNIST",
    "ImageDataset",
    "InfiniteShuffle",
    "MemoryDataset",
    "gan_collate",
]
