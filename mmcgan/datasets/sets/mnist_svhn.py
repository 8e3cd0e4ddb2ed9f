"""MNIST and SVHN as one set with the attributes digit and domain (Omni-GAN, Appendix E)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmcgan.attributes import AttributeGroups
from mmcgan.datasets.attributes.base import AttributeImages, kept_rows
from mmcgan.datasets.base import ImageDataset, check_choice
from mmcgan.datasets.given import Given
from mmcgan.datasets.sets.download import download_once
from mmcgan.registry import DATASETS

IMAGE_SIZE = 32
DIGITS = [str(digit) for digit in range(10)]
GROUPS = AttributeGroups.from_config({"digit": DIGITS, "domain": ["mnist", "svhn"]})
#: images of every digit, by split: MNIST's, SVHN's
COUNTS = {
    "train": (
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659),
    ),
    "test": (
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
        (1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595),
    ),
}


@DATASETS.register_module()
class MNISTSVHN(AttributeImages, ImageDataset):
    """MNIST (28x28, padded with black) and SVHN's cropped digits (32x32), one after the other.

    Attribute groups ``digit`` (0..9) and ``domain`` (mnist, svhn).

    Args:
        root: folder that holds ``MNIST/raw`` and SVHN's ``train_32x32.mat`` and ``test_32x32.mat``.
        split: ``train`` or ``test``.
        leave_out: combinations whose images are left out, such as ``[dict(digit="3", domain="svhn")]``.
        download: fetch files through torchvision if they are missing.
        pipeline: mmcv transforms.

    Raises:
        FileNotFoundError: files are missing or damaged; says which set.
        ValueError: an unknown split or combination.
    """

    disk_arguments = ("root",)
    user_arguments = ("download",)

    def __init__(
        self,
        root: str = "data",
        split: str = "train",
        leave_out: Sequence[Mapping[str, Any]] = (),
        download: bool = False,
        pipeline: Sequence[dict[str, Any]] = (),
    ) -> None:
        check_choice(split, tuple(COUNTS), "split", "MNISTSVHN")
        mnist, first = _read_mnist(root, split, download)
        svhn, second = _read_svhn(root, split, download)
        attributes = torch.cat([_attributes(first, 0), _attributes(second, 1)])
        self.rows = kept_rows(GROUPS, attributes, leave_out, "MNISTSVHN")
        # gray images stay one channel in memory
        self.mnist, self.svhn = mnist, svhn
        super().__init__(IMAGE_SIZE, None, None, len(self.rows), pipeline)
        self.set_attributes(GROUPS, attributes[self.rows])
        self.split = split

    def _fetch(self, index: Tensor) -> Tensor:
        rows = self.rows[index]
        images = torch.empty(len(rows), 3, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
        gray = rows < len(self.mnist)
        images[gray] = self.mnist[rows[gray]].expand(-1, 3, -1, -1)
        images[~gray] = self.svhn[rows[~gray] - len(self.mnist)]
        return images

    @classmethod
    def default_folders(cls) -> tuple[Path, ...]:
        """Return where torchvision puts MNIST; the files of SVHN lie in ``data`` itself."""
        return (Path("data") / "MNIST" / "raw",)

    @classmethod
    def facts_of(cls, given: Given) -> dict[str, Any]:
        """Return the image size, the attribute groups and the images of every combination, without files."""
        check_choice(given.split, tuple(COUNTS), "split", "MNISTSVHN")
        combinations = GROUPS.matching({})  # all digits of MNIST, then all of SVHN
        counts = [number for domain in COUNTS[given.split] for number in domain]
        kept = kept_rows(GROUPS, combinations, given.leave_out, "MNISTSVHN").tolist()
        return dict(
            num_classes=0,
            image_size=IMAGE_SIZE,
            num_attributes=len(GROUPS),
            attribute_groups=GROUPS.to_config(),
            attribute_counts=[[combinations[i].nonzero().flatten().tolist(), counts[i]] for i in kept],
        )

    @classmethod
    def stand_in(cls, config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config of a set with as many attributes in place of ``config``, whose files are absent."""
        return dict(type="TwoDomainDigits", split="test", image_size=IMAGE_SIZE)


def _attributes(labels: Tensor, domain: int) -> Tensor:
    own = F.one_hot(torch.full_like(labels, domain), 2)
    return torch.cat([F.one_hot(labels, len(DIGITS)), own], dim=1).to(torch.uint8)


def _read_mnist(root: str, split: str, download: bool) -> tuple[Tensor, Tensor]:
    """Return images uint8 (N, 1, 32, 32) and labels int64 (N,)."""
    import torchvision  # seconds to import, with all its models

    reader = torchvision.datasets.MNIST
    if download:
        download_once(lambda: reader(root, download=True), "MNISTSVHN")
    try:
        data = reader(root, train=split == "train")
    except (RuntimeError, OSError, ValueError, AssertionError) as error:  # torchvision asserts the format
        raise FileNotFoundError(_missing(root, "MNIST", "MNIST/raw")) from error
    border = (IMAGE_SIZE - data.data.shape[-1]) // 2
    return F.pad(data.data[:, None], (border,) * 4), data.targets.to(torch.int64)


def _read_svhn(root: str, split: str, download: bool) -> tuple[Tensor, Tensor]:
    """Return images uint8 (N, 3, 32, 32) and labels int64 (N,)."""
    import torchvision

    reader = torchvision.datasets.SVHN
    if download:
        download_once(lambda: reader(root, split, download=True), "MNISTSVHN")
    try:
        data = reader(root, split)
    except (RuntimeError, OSError, ValueError) as error:
        raise FileNotFoundError(_missing(root, "SVHN", f"{split}_32x32.mat")) from error
    return torch.from_numpy(data.data).contiguous(), torch.from_numpy(data.labels).to(torch.int64)


def _missing(root: str, name: str, what: str) -> str:
    return (
        f"MNISTSVHN: {name} not found or damaged under {root!r} ({Path(root) / what}). Set root to the "
        "folder that holds both sets, or set download=True"
    )
