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

    for about, statement, source_of, published, better, worse in (
        (
            "noise",
            "Two latents give different images of one instance: at least half as different as two "
            "neighbours of a real image are.",
            "IC-GAN, Section 2 and Table 2 (LPIPS)",
            "COCO-Stuff 256 px: LPIPS of two images of one condition 0.73",
            distance("two latents of an instance", "same_instance"),
            distance("half of two real neighbours", "half_of_neighbours"),
        ),
        (
            "instance",
            "Two instances change an image of one latent more than two latents do of one instance.",
            "IC-GAN, Section 2 and Fig. 1",
            "shown in pictures: the instance keeps the meaning, the noise varies it",
            distance("two instances", "same_latent"),
            distance("two latents of an instance", "same_instance"),
        ),
    ):
        register_claim(
            Claim(
                name=f"icgan-{about}-matters{suffix}",
                statement=statement,
                source=source_of,
                published=published,
                better=better,
                worse=worse,
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
