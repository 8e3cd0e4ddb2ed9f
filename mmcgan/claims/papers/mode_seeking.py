"""Mode seeking: after minutes a class is one image or many, and what the variety costs."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Training

FID, RECALL, ACCURACY = Logged("fid"), Logged("recall"), Logged("conditional_accuracy")
METRICS = [{"type": "FID"}, {"type": "ConditionalAccuracy"}, {"type": "PRDC", "max_images": 1438}]
SEEKING = {"modes": {"type": "ModeSeeking", "weight": 0.1, "share": 0.5}}
METHODS = {
    "omnigan": ("Omni-GAN", "omnigan_biggan_digits-16"),
    "biggan": ("BigGAN's projection", "biggan_digits-16"),
    "reacgan": ("ReACGAN", "reacgan_biggan_digits-16"),
}


def _digits(config: str, **options: Any) -> Training:
    return Training(config, 2400, options={"val_evaluator.metrics": METRICS, **options})


for method, (called, config) in METHODS.items():
    with_it, without = _digits(config, **{"model.regularizers": SEEKING}), _digits(config)
    for measured, about, lower in (
        (RECALL, "is more varied", False),
        (FID, "is nearer to real images", True),
    ):
        register_claim(
            Claim(
                name=f"mode-seeking-{'variety' if measured is RECALL else 'quality'}-of-{method}",
                statement=f"With mode seeking, what {called} makes {about}.",
                source="MSGAN (Mao et al., 2019)",
                published="more modes, on CIFAR10 among others; no figure is quoted here",
                better=Arm("with mode seeking", with_it, measured),
                worse=Arm("without", without, measured),
                also=(
                    Arm("right class with it", with_it, ACCURACY),
                    Arm("right class without", without, ACCURACY),
                ),
                lower=lower,
                note="Digits of 16 px, weight 0.1 for half of the images; the same number of updates each, "
                "which take longer with mode seeking.",
                minutes=20,
            )
        )
