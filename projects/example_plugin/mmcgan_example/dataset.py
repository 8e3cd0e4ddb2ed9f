"""A data set of one's own, as in docs/extending/dataset.md."""

import torch

from mmcgan.datasets import GANDataset
from mmcgan.registry import DATASETS


@DATASETS.register_module()
class Stripes(GANDataset):
    """Two classes: horizontal and vertical stripes of random phase."""

    disk_arguments = ()  # arguments that name files; () for none, so that shared weights may use it

    def __init__(self, image_size: int = 16, size: int = 64) -> None:
        self.image_size, self.size = image_size, size
        self.labels = torch.arange(size) % 2

    @classmethod
    def facts(cls, image_size: int = 16, size: int = 64):
        """Return the number of classes and the image size."""
        return dict(num_classes=2, image_size=image_size, class_counts=((size + 1) // 2, size // 2))

    @property
    def metainfo(self):
        """What is known of the set."""
        return dict(classes=("rows", "columns"), num_classes=2, image_size=self.image_size, size=self.size)

    def __len__(self):
        return self.size

    def __getitems__(self, indices):
        """Return ``image`` uint8 (N, 3, H, W) and ``label`` int64 (N,)."""
        rows = torch.tensor([int(index) for index in indices])
        phase = (torch.arange(self.image_size) + rows[:, None]) // 2 % 2 * 255
        grid = phase[:, :, None].expand(-1, -1, self.image_size)
        image = torch.where(self.labels[rows, None, None] == 0, grid, grid.transpose(1, 2))
        return {"image": image[:, None].expand(-1, 3, -1, -1).to(torch.uint8), "label": self.labels[rows]}
