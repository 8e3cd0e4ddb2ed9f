"""Image datasets, the order they are read in, and the seeded conditions of an evaluation."""

from typing import TYPE_CHECKING

from mmcgan.lazy import lazy_exports

if TYPE_CHECKING:
    from mmcgan.datasets.attributes.attribute_folder import AttributeFolder
    from mmcgan.datasets.attributes.base import AttributeImages
    from mmcgan.datasets.base import GANDataset, ImageDataset, MemoryDataset
    from mmcgan.datasets.class_order import ClassBalancedDraws
    from mmcgan.datasets.conditions.attribute_conditions import AttributeConditionDataset
    from mmcgan.datasets.conditions.base import ConditionDataset
    from mmcgan.datasets.conditions.drawn_conditions import DrawnConditionDataset
    from mmcgan.datasets.conditions.instance_conditions import InstanceConditionDataset
    from mmcgan.datasets.conditions.label_map_conditions import LabelMapConditions
    from mmcgan.datasets.decode import BadImageError, ImageReader
    from mmcgan.datasets.label_maps.base import LabelMapDataset, LabelMapFiles, SyntheticLabelMaps
    from mmcgan.datasets.neighbourhood import NeighbourhoodDataset
    from mmcgan.datasets.order import Draw, InfiniteShuffle, gan_collate
    from mmcgan.datasets.packing.packed import PackedDataset
    from mmcgan.datasets.packing.shards import ShardDataset
    from mmcgan.datasets.sets.cifar import CIFAR10, CIFAR100
    from mmcgan.datasets.sets.cityscapes import Cityscapes
    from mmcgan.datasets.sets.class_subset import ClassSubset
    from mmcgan.datasets.sets.digits import DigitsDataset
    from mmcgan.datasets.sets.fashion_mnist import FashionMNIST
    from mmcgan.datasets.sets.folder import ImageFolder
    from mmcgan.datasets.sets.hub import HFDataset
    from mmcgan.datasets.sets.image_list import ImageList
    from mmcgan.datasets.sets.imagenet import ImageNet, TinyImageNet
    from mmcgan.datasets.sets.long_tail import ImageNetLT, ImbalancedDataset, shot_groups
    from mmcgan.datasets.sets.mnist_svhn import MNISTSVHN
    from mmcgan.datasets.sets.scenes import Scenes
    from mmcgan.datasets.sets.stacked_digits import StackedDigits
    from mmcgan.datasets.sets.synthetic import SyntheticImages
    from mmcgan.datasets.sets.two_domain import TwoDomainDigits
    from mmcgan.datasets.shard_order import ShardShuffle
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "MNISTSVHN",
    "AttributeConditionDataset",
    "AttributeFolder",
    "AttributeImages",
    "BadImageError",
    "Cityscapes",
    "ClassBalancedDraws",
    "ClassSubset",
    "ConditionDataset",
    "DigitsDataset",
    "Draw",
    "DrawnConditionDataset",
    "FashionMNIST",
    "GANDataset",
    "HFDataset",
    "ImageDataset",
    "ImageFolder",
    "ImageList",
    "ImageNet",
    "ImageNetLT",
    "ImageReader",
    "ImbalancedDataset",
    "InfiniteShuffle",
    "InstanceConditionDataset",
    "LabelMapConditions",
    "LabelMapDataset",
    "LabelMapFiles",
    "MemoryDataset",
    "NeighbourhoodDataset",
    "PackedDataset",
    "Scenes",
    "ShardDataset",
    "ShardShuffle",
    "StackedDigits",
    "SyntheticImages",
    "SyntheticLabelMaps",
    "TinyImageNet",
    "TwoDomainDigits",
    "gan_collate",
    "shot_groups",
]
