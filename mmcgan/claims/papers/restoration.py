"""Omni-GAN's generators as priors of images: which reconstructs unseen images best."""

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Measured
from mmcgan.claims.measures.restoring import restored
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Shipped

COMPARED_BY = "omni-inr_biggan_fashion-mnist-32-discriminator"
UNSEEN = {"type": "FashionMNIST", "split": "test", "image_size": 32}
BIGGAN, OMNI, INR = (
    ("BigGAN", Shipped("biggan_fashion-mnist-32")),
    ("Omni-GAN", Shipped("omnigan_biggan_fashion-mnist-32")),
    ("Omni-INR-GAN", Shipped("omni-inr_biggan_fashion-mnist-32")),
)
TABLE = {
    "psnr": {"BigGAN": "25.68", "Omni-GAN": "26.35", "Omni-INR-GAN": "29.36"},
    "ssim": {"BigGAN": "85.17", "Omni-GAN": "89.36", "Omni-INR-GAN": "92.74"},
}


def _arm(named: tuple[str, Shipped], key: str) -> Arm:
    return Arm(named[0], named[1], Measured(key, restored, {"discriminator": COMPARED_BY, "images": UNSEEN}))


for pair, better, worse in (("omni-inr-over-omnigan", INR, OMNI), ("omnigan-over-biggan", OMNI, BIGGAN)):
    for key in ("psnr", "ssim"):
        register_claim(
            Claim(
                name=f"restoration-{pair}-{key}",
                statement=f"Of unseen images, {better[0]} reconstructs more than {worse[0]} ({key.upper()}).",
                source="Omni-GAN, Table 3",
                published=f"1,000 images of ImageNet: {TABLE[key][better[0]]} against {TABLE[key][worse[0]]}",
                better=_arm(better, key),
                worse=_arm(worse, key),
                lower=False,
                note="Shipped models of Fashion-MNIST; a seed is 34 test images, three seeds are 102; 100 "
                "candidates and a tenth of the plan's iterations; one discriminator compares for all.",
                minutes=4,
            )
        )
