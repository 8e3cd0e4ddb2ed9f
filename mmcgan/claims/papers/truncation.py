"""BigGAN's truncation trick: fidelity for diversity."""

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Evaluated
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Shipped

MODELS = ("biggan_fashion-mnist-32", "omnigan_biggan_fashion-mnist-32", "omni-inr_biggan_fashion-mnist-32")
COMMON = ("--metrics", "prdc", "--num", "2000", "--truncations")


def _arm(label: str, model: str, key: str, truncation: str) -> Arm:
    return Arm(label, Shipped(model), Evaluated(key, (*COMMON, truncation)))


def _register(model: str, name: str, statement: str, published: str, key: str, lower: bool = True) -> None:
    """Register what truncating a shipped model's latents to ±0.5 does to a metric."""
    register_claim(
        Claim(
            name=name,
            statement=statement,
            source="BigGAN, Fig. 2",
            published=published,
            better=_arm("truncated at 0.5", model, key, "0.5"),
            worse=_arm("not truncated", model, key, "none"),
            lower=lower,
            note=f"The shipped model {model}; seeds are those of the samples.",
            minutes=5,
        )
    )


for model in MODELS:
    short = model.partition("_")[0]
    _register(
        model,
        f"truncation-fidelity-{short}",
        f"Latents truncated to ±0.5 give {short} samples of higher precision.",
        "Inception score rises as the threshold falls",
        "precision",
        lower=False,
    )
    _register(
        model,
        f"truncation-diversity-{short}",
        f"Latents truncated to ±0.5 cost {short} recall.",
        "FID rises at low thresholds for lack of variety",
        "recall",
    )
