"""Image datasets, the order they are read in, and the seeded conditions of an evaluation."""

from mmcgan.datasets.attribute_conditions import AttributeConditionDataset
from mmcgan.datasets.attribute_folder import AttributeFolder
from mmcgan.datasets.attributes import AttributeImages
from mmcgan.datasets.base import ImageDataset, MemoryDataset
from mmcgan.datasets.cifar import CIFAR10, CIFAR100
from mmcgan.datasets.cityscapes import Cityscapes
from mmcgan.datasets.class_order import ClassBalancedDraws
from mmcgan.datasets.class_subset import ClassSubset
from mmcgan.datasets.conditions import ConditionDataset
from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.datasets.digits import DigitsDataset
from mmcgan.datasets.fashion_mnist import FashionMNIST
from mmcgan.datasets.folder import ImageFolder
from mmcgan.datasets.image_list import ImageList
from mmcgan.datasets.imagenet import ImageNet, TinyImageNet
from mmcgan.datasets.instance_conditions import InstanceConditionDataset
from mmcgan.datasets.label_map_conditions import LabelMapConditions
from mmcgan.datasets.label_maps import LabelMapDataset, LabelMapFiles, SyntheticLabelMaps
from mmcgan.datasets.long_tail import ImageNetLT, ImbalancedDataset, shot_groups
from mmcgan.datasets.mnist_svhn import MNISTSVHN
from mmcgan.datasets.neighbourhood import NeighbourhoodDataset
from mmcgan.datasets.order import Draw, InfiniteShuffle, gan_collate
from mmcgan.datasets.packed import PackedDataset
from mmcgan.datasets.scenes import Scenes
from mmcgan.datasets.synthetic import SyntheticImages
from mmcgan.datasets.two_domain import TwoDomainDigits

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
    "FashionMNIST",
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
    "SyntheticImages",
    "SyntheticLabelMaps",
    "TinyImageNet",
    "TwoDomainDigits",
    "gan_collate",
    "shot_groups",
]
