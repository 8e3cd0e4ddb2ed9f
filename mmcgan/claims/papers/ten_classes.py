"""D2D-CE with ten classes: against AC-GAN, and against 2C, which loses the names of classes."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged, Measured
from mmcgan.claims.measures.names import class_names
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Training

FID = Logged("fid")
NAMES = {"extractor": "SmallClassifier", "weights": "digits-16"}
SCALE = "Digits of 16 px, 10 classes of some 144 images, six others of its class to each image of a batch."
OF_DIGITS = {"positive_margin": 1.0, "negative_margin": -1.0}


def _digits(method: str, **options: Any) -> Training:
    return Training(f"{method}_biggan_digits-16", 1500, options=options)


CONTRAGAN, REACGAN = _digits("contragan"), _digits("reacgan")
EQUATION_5 = _digits(
    "reacgan", **{f"model.losses.contrastive.{name}": value for name, value in OF_DIGITS.items()}
)


def _named(label: str, training: Training, key: str) -> Arm:
    return Arm(label, training, Measured(key, class_names, NAMES))


register_claim(
    Claim(
        name="d2dce-keeps-names",
        statement="With 2C a generator shows classes under wrong names; with D2D-CE under their own.",
        source="ReACGAN, Sec. 3.4 and Appendix F",
        published="2C tends to images of unintended classes; no figure is given",
        better=_named("ReACGAN (D2D-CE)", REACGAN, "accuracy"),
        worse=_named("ContraGAN (2C)", CONTRAGAN, "accuracy"),
        also=(
            _named("ContraGAN, renamed", CONTRAGAN, "renamed"),
            _named("ReACGAN, renamed", REACGAN, "renamed"),
            _named("D2D-CE without margins (Eq. 5)", EQUATION_5, "accuracy"),
        ),
        lower=False,
        note=SCALE
        + " The share of samples whose class is seen as asked for; renamed: after the permutation of "
        "classes that makes it largest.",
        minutes=17,
    )
)
register_claim(
    Claim(
        name="contragan-knows-classes-not-names",
        statement="What 2C gets wrong are names: after the best renaming its samples are "
        "right far more often.",
        source="this project, after ReACGAN, Appendix F",
        published="-",
        better=_named("renamed", CONTRAGAN, "renamed"),
        worse=_named("as asked for", CONTRAGAN, "accuracy"),
        lower=False,
        note=SCALE + " Both arms are one run.",
        minutes=6,
    )
)
register_claim(
    Claim(
        name="reacgan-over-acgan-with-ten-classes",
        statement="D2D-CE gives better samples than AC-GAN with ten classes, too.",
        source="ReACGAN, Table 2",
        published="CIFAR10: FID 7.88 against 8.45",
        better=Arm("ReACGAN", REACGAN, FID),
        worse=Arm("AC-GAN", _digits("acgan"), FID),
        note=SCALE,
        minutes=12,
    )
)
