"""ReACGAN: AC-GAN's exploding features, their cure, and D2D-CE against other losses, with 100 classes."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Training

FID = Logged("fid")
NORM = Logged("diagnostics/feature_norm_real")
SCALE = "Pairs of garments of 16 px, 100 classes of some 600 images."


def _pairs(method: str, **options: Any) -> Training:
    return Training(f"{method}_garment-pairs-16", 3000, options=options)


ACGAN, REACGAN = _pairs("acgan_biggan"), _pairs("reacgan_biggan")
UNSUPPRESSED = _pairs(
    "reacgan_biggan",
    **{"model.losses.contrastive.positive_margin": 1.0, "model.losses.contrastive.negative_margin": -1.0},
)

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
        minutes=30,
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
            minutes=30,
        )
    )
for kind, what in (
    ("positives", "samples near their proxy"),
    ("negatives", "pairs of other classes far apart"),
):
    key = f"diagnostics/contrastive.easy_{kind}_real"
    register_claim(
        Claim(
            name=f"easy-{kind}-grow",
            statement=f"Training makes more and more real {what} easy, so that the margins "
            "leave them in peace.",
            source="ReACGAN, Sec. 3.3, Properties 2 and 3",
            published="argued from the gradient; no figure is given",
            better=Arm("at the end", REACGAN, Logged(key)),
            worse=Arm("after the first update", REACGAN, Logged(key, when="first")),
            lower=False,
            note=SCALE + " Both arms are one run; the share of 64 real images, or of their pairs.",
            minutes=15,
        )
    )
register_claim(
    Claim(
        name="suppression-of-easy-samples-helps",
        statement="Leaving easy positives and negatives in peace gives better samples than "
        "the same loss without "
        "margins.",
        source="ReACGAN, Table 6 (Eq. 6 against Eq. 5)",
        published="Tiny-ImageNet: FID 27.10 against 28.71; CUB200: 15.40 against 25.12",
        better=Arm("with margins (Eq. 6)", REACGAN, FID),
        worse=Arm("without (Eq. 5)", UNSUPPRESSED, FID),
        note=SCALE,
        minutes=30,
    )
)
