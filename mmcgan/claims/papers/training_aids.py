"""What helps any method: a moving average, augmentation of few images; and what must change nothing."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim, Logged, Training
from mmcgan.claims.registry import register_claim

FID = Logged("fid")


def _digits(**options: Any) -> Training:
    return Training("omnigan_biggan_digits-16", 1500, options=options)


def _few(augmented: bool) -> Training:
    options: dict[str, Any] = {"train_dataloader.dataset.count": 6000}
    if augmented:
        options["model.augment"] = dict(type="DiffAugment")
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
    )
)
register_claim(
    Claim(
        name="augmentation-helps-few-images",
        statement="With a tenth of the images, DiffAugment gives better samples than none.",
        source="DiffAugment (Zhao et al., 2020)",
        published="lower FID with few images; no figure is quoted here",
        better=Arm("DiffAugment", _few(True), FID),
        worse=Arm("none", _few(False), FID),
        note="Pairs of garments of 16 px, 6,000 pairs of 100 classes.",
    )
)
register_claim(
    Claim(
        name="precision-changes-nothing",
        statement="The precision that a machine chooses changes nothing in the samples' quality.",
        source="this project",
        published="-",
        better=Arm("float32", _digits(**{"optim_wrapper.precision": "float32"}), FID),
        worse=Arm("bfloat16", _digits(**{"optim_wrapper.precision": "bfloat16"}), FID),
        margin=0.25,
        note="Digits of 16 px; equal within a quarter of the mean. Slow where bfloat16 is emulated.",
    )
)
