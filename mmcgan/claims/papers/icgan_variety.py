"""IC-GAN: what of an image the instance decides, and what the noise."""

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Measured
from mmcgan.claims.measures.instances import variety
from mmcgan.claims.papers.icgan import ICGAN
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import Shipped, Source

DISTANCES = " Mean distance between a classifier's features, 500 pairs each. Both arms are one model."


def _register(suffix: str, source: Source, weights: str, neighbours: int, note: str, minutes: float) -> None:
    """Register what two latents and two instances change in the samples of one IC-GAN."""
    settings = {"extractor": "SmallClassifier", "weights": weights, "neighbours": neighbours}

    def distance(label: str, key: str) -> Arm:
        return Arm(label, source, Measured(key, variety, settings))

    register_claim(
        Claim(
            name=f"icgan-noise-matters{suffix}",
            statement="Two latents give different images of one instance: at least half as different as two "
            "neighbours of a real image are.",
            source="IC-GAN, Section 2 and Table 2 (LPIPS)",
            published="COCO-Stuff 256 px: LPIPS of two images of one condition 0.73",
            better=distance("two latents of an instance", "same_instance"),
            worse=distance("half of two real neighbours", "half_of_neighbours"),
            lower=False,
            note=note + DISTANCES,
            minutes=minutes,
        )
    )
    register_claim(
        Claim(
            name=f"icgan-instance-matters{suffix}",
            statement="Two instances change an image of one latent more than two latents do of one instance.",
            source="IC-GAN, Section 2 and Fig. 1",
            published="shown in pictures: the instance keeps the meaning, the noise varies it",
            better=distance("two instances", "same_latent"),
            worse=distance("two latents of an instance", "same_instance"),
            lower=False,
            note=note + DISTANCES,
            minutes=minutes,
        )
    )


_register("", ICGAN, "digits-16", 20, "Digits of 16 px without labels.", 7)
_register(
    "-of-garments",
    Shipped("icgan_biggan_fashion-mnist-32"),
    "fashion-mnist-32",
    50,
    "The shipped model of Fashion-MNIST; seeds are those of the samples.",
    0.5,
)
