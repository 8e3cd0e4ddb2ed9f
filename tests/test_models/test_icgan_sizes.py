"""The paper's IC-GAN models have the paper's sizes."""

import pytest
import torch

from mmcgan.config.load import read_config
from mmcgan.config.locate import find_config
from mmcgan.models.discriminator import Discriminator
from mmcgan.registry import GENERATORS

# The peer keeps a table of 1,000 classes that its label-free BigGANs never use.
UNUSED = 128_000
# config -> parameters of the peer's generator and discriminator
SIZES = {
    "icgan_biggan_imagenet-64": (36_655_876, 21_646_018),
    "icgan_biggan_imagenet-128": (77_160_132, 89_593_634),
    "icgan_biggan_imagenet-256": (42_860_804, 45_520_066),
    "icgan-ch96_biggan_imagenet-256": (90_014_340, 100_837_154),
    "icgan_biggan_coco-stuff-128": (22_271_076, 23_189_330),
    "icgan_biggan_coco-stuff-256": (25_861_956, 26_000_786),
    "icgan-class_biggan_imagenet-64": (37_868_292, 21_108_930),
    "icgan-class_biggan_imagenet-128": (79_052_484, 88_788_002),
    "icgan-class_biggan_imagenet-256": (44_384_516, 44_982_978),
    "icgan-class-ch96_biggan_imagenet-256": (92_299_908, 100_031_522),
    "icgan-class_biggan_imagenet-lt-64": (37_868_292, 21_108_930),
    "icgan-class_biggan_imagenet-lt-128": (38_073_988, 39_985_346),
    "icgan-class_biggan_imagenet-lt-256": (44_384_516, 44_982_978),
    "icgan_stylegan2_coco-stuff-128": (24_260_509, 27_294_848),
    "icgan_stylegan2_coco-stuff-256": (24_502_754, 27_413_568),
}


def sizes(name, num_classes):
    """Return the numbers of parameters of both networks, without memory for them."""
    config = read_config(find_config(name))
    image_size = config.train_dataloader.dataset.dataset.image_size
    facts = dict(num_classes=num_classes, instance_dim=2048)
    head = {**config.model.discriminator.heads.adv, **facts}
    backbone = {**config.model.discriminator.backbone, "image_size": image_size}
    with torch.device("meta"):
        networks = (
            GENERATORS.build({**config.model.generator, "image_size": image_size, **facts}),
            Discriminator(backbone, {"adv": head}, init=config.model.discriminator.get("init", "orthogonal")),
        )
    return tuple(sum(p.numel() for p in network.parameters()) for network in networks)


@pytest.mark.parametrize(("name", "expected"), SIZES.items())
def test_sizes_of_the_paper(name, expected):
    by_class = name.startswith("icgan-class")
    generator, discriminator = sizes(name, 1000 if by_class else 0)
    unused = 0 if by_class or "stylegan2" in name else UNUSED
    assert (generator + unused, discriminator) == expected
