"""ReACGAN: AC-GAN's exploding features, their cure, and D2D-CE against other losses, with 100 classes."""

from mmcgan.claims.claim import Arm, Claim, Logged, Training
from mmcgan.claims.registry import register_claim

FID = Logged("fid")
NORM = Logged("diagnostics/feature_norm_real")
SCALE = "Pairs of garments of 16 px, 100 classes of some 600 images."


def _pairs(method: str) -> Training:
    return Training(f"{method}_garment-pairs-16", 3000)


ACGAN, REACGAN = _pairs("acgan_biggan"), _pairs("reacgan_biggan")

register_claim(
    Claim(
        name="reacgan-feature-norms",
        statement="AC-GAN's features grow in training; ReACGAN's, which it normalises, grow less.",
        source="ReACGAN, Fig. 2a",
        published="AC-GAN's norms explode on Tiny-ImageNet, ReACGAN's do not",
        better=Arm("ReACGAN", REACGAN, NORM),
        worse=Arm("AC-GAN", ACGAN, NORM),
        logarithm=True,
        note=SCALE,
    )
)
for name, other, label in (
    ("d2dce-over-acgan", ACGAN, "AC-GAN"),
    ("d2dce-over-2c", _pairs("contragan_biggan"), "ContraGAN (2C)"),
    ("d2dce-over-projection", _pairs("biggan"), "BigGAN (projection)"),
):
    register_claim(
        Claim(
            name=name,
            statement=f"D2D-CE gives better samples than {label}.",
            source="ReACGAN, Table 2",
            published={
                "AC-GAN": "Tiny-ImageNet: FID 27.10 against 96.04",
                "ContraGAN (2C)": "CIFAR10: FID 7.88 against 8.22; Tiny-ImageNet: 27.10 against 28.55",
                "BigGAN (projection)": "CIFAR10: FID 7.88 against 8.08; Tiny-ImageNet: 27.10 against 32.03",
            }[label],
            better=Arm("ReACGAN (D2D-CE)", REACGAN, FID),
            worse=Arm(label, other, FID),
            note=SCALE,
        )
    )
