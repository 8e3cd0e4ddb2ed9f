"""Small sets and stores for the tests of instance conditioning."""

import torch

from mmcgan.datasets import MemoryDataset
from mmcgan.extractors.base import Extractor, ExtractorOutput, Preprocessing
from mmcgan.instance_preparation.prepare import Options, prepare_instances
from mmcgan.registry import DATASETS, EXTRACTORS


@EXTRACTORS.register_module(force=True)
class PixelExtractor(Extractor):
    """The pixels of the first channel; the mirrored image's are others."""

    def __init__(self, scale: float = 1.0, precision: str = "float32"):
        super().__init__("pixels", Preprocessing(4), precision)
        self.register_buffer("scale", torch.tensor(scale))
        self.feature_dim = 16
        self.freeze()

    def encode(self, pixels):
        return ExtractorOutput((pixels[:, 0].flatten(1) + 1.0) * self.scale)


@DATASETS.register_module(force=True)
class NoisyImages(MemoryDataset):
    """Random 4x4 images of three classes."""

    def __init__(self, size: int = 40, seed: int = 0, labelled: bool = True):
        generator = torch.Generator().manual_seed(seed)
        images = torch.randint(0, 256, (size, 3, 4, 4), generator=generator, dtype=torch.uint8)
        labels = torch.arange(size) % 3 if labelled else None
        super().__init__(images, labels, ["a", "b", "c"])

    @classmethod
    def facts(cls, size: int = 40, seed: int = 0, labelled: bool = True):
        return dict(num_classes=3 if labelled else 0, image_size=4)


def make_store(folder, size=40, labelled=True, **options):
    """Make a store of :class:`NoisyImages` in ``folder``; returns the store and the images' config."""
    config = dict(type="NoisyImages", size=size, labelled=labelled)
    given = dict(k=5, kmeans=8, flip=True, command="mmcgan prepare-instances ...") | options
    store = prepare_instances(
        DATASETS.build(dict(config)), dict(type="PixelExtractor"), folder, Options(**given)
    )
    return store, config
