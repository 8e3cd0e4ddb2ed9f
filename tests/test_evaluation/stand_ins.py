"""A tiny extractor and data set, so that evaluation is tested without training anything."""

import torch

from mmcgan.datasets.base import GANDataset
from mmcgan.extractors import Extractor, ExtractorOutput, Preprocessing
from mmcgan.registry import DATASETS, EXTRACTORS


@EXTRACTORS.register_module(force=True)
class MeanColour(Extractor):
    """Features are the three mean colours, the largest is the class; counts its passes."""

    def __init__(self, scale: float = 1.0, size: int = 4, logits: bool = True) -> None:
        super().__init__("mean-colour", Preprocessing(size))
        self.scale = torch.nn.Parameter(torch.tensor(scale))
        self.feature_dim = 3
        self.num_classes = 3 if logits else None
        self.classes = ("red", "green", "blue")
        self.passes = 0
        self.freeze()

    def encode(self, pixels):
        self.passes += 1
        features = pixels.mean(dim=(2, 3)) * self.scale
        return ExtractorOutput(features, 10 * features if self.num_classes else None)


@DATASETS.register_module(force=True)
class ColourDataset(GANDataset):
    """Noisy images whose brightest channel is the label."""

    def __init__(self, size: int = 60, seed: int = 0, split: str = "train") -> None:
        self.split = split
        noise = torch.rand(size, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
        self.label = torch.arange(size) % 3
        noise[torch.arange(size), self.label] += 1
        self.image = (noise * 127).to(torch.uint8)
        self.reads = 0

    def __len__(self):
        return len(self.image)

    def __getitems__(self, indices):
        rows = torch.tensor(list(indices))
        self.reads += len(rows)
        return {"image": self.image[rows], "label": self.label[rows]}
