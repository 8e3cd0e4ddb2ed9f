"""What helps any method: a moving average, augmentation of few images; and what must change nothing."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Training

FID = Logged("fid")
PAIRS = 60_000
ADAPT = {"target": 0.6, "kimg": 20, "logit": "omni.score", "reading": "real_minus_fake"}
AUGMENTS: dict[str, dict[str, Any]] = {
    "DiffAugment": {"type": "DiffAugment"},
    "ADA": {"type": "ADA", "adapt": ADAPT},
}
SHARES = {1: 600, 10: 6_000, 100: PAIRS}


def _digits(**options: Any) -> Training:
    return Training("omnigan_biggan_digits-16", 1500, options=options)


def _pairs(count: int, augment: dict[str, Any] | None) -> Training:
    options: dict[str, Any] = {} if count == PAIRS else {"train_dataloader.dataset.count": count}
    if augment is not None:
        options["model.augment"] = augment
    return Training("omnigan_biggan_garment-pairs-16", 3000, options=options)


register_claim(
    Claim(
        name="average-helps",
        statement="The moving average of the generator's weights gives better samples than the weights do.",
        source="BigGAN, Appendix; StudioGAN",
        published="used by all of them",
        better=Arm("averaged", _digits(), FID),
        worse=Arm("not averaged", _digits(**{"default_hooks.generator_ema.decay": 0.0}), FID),
        note="Digits of 16 px; an average of decay 0 is the generator itself.",
        minutes=11,
    )
)
for percent, count in SHARES.items():
    for label, augment in AUGMENTS.items():
        register_claim(
            Claim(
                name=f"{label.lower()}-with-{percent}-percent",
                statement=f"With {percent} % of the images, {label} gives better samples than none.",
                source="DiffAugment (Zhao et al., 2020)"
                if label == "DiffAugment"
                else "ADA (Karras et al., 2020)",
                published="the fewer images, the more it helps; no figure is quoted here",
                better=Arm(label, _pairs(count, augment), FID),
                worse=Arm("none", _pairs(count, None), FID),
                note=f"Pairs of garments of 16 px, {count:,} pairs of 100 classes.",
                minutes=34,
            )
        )
register_claim(
    Claim(
        name="precision-changes-nothing",
        statement="Channels last and the precision that a machine may choose change nothing in the quality.",
        source="this project",
        published="-",
        better=Arm("bfloat16, channels last", _digits(**{"optim_wrapper.precision": "bfloat16"}), FID),
        worse=Arm(
            "float32, channels first",
            _digits(**{"optim_wrapper.precision": "float32", "model.data_preprocessor.channels_last": False}),
            FID,
        ),
        margin=0.25,
        note="Digits of 16 px; equal within a quarter of the mean. Slow where bfloat16 is emulated.",
        minutes=12,
    )
)
