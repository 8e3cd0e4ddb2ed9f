"""IC-GAN: instances instead of labels."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Evaluated, Logged
from mmcgan.claims.papers.icgan_stores import prepared
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import OUT, Training

FID, RECALL = Logged("fid"), Logged("recall")
SCALE = "Digits of 16 px without labels; neighbourhoods of a small extractor trained on them without labels."
STORE, CHOSEN = "stores/digits-16", 100
NEEDS = prepared(STORE, "icgan_biggan_digits-16", k=200, kmeans=CHOSEN)


def _icgan(neighbours: int = 20, more: Mapping[str, Any] = MappingProxyType({})) -> Training:
    options = {"train_dataloader.dataset.store": f"{OUT}/{STORE}", "train_dataloader.dataset.k": neighbours}
    return Training("icgan_biggan_digits-16", 1500, options={**options, **more}, needs=NEEDS)


ICGAN = _icgan()
OF_CHOSEN = _icgan(
    more={"model.condition_sampler.type": "KMeansInstances", "train_dataloader.dataset.instances": "kmeans"}
)
UNCONDITIONAL = Training(
    "biggan-unconditional_digits-16",
    1500,
    options={"val_evaluator.metrics": [dict(type="FID"), dict(type="PRDC", max_images=5000)]},
)


def _asked(**sampler: Any) -> Evaluated:
    """Return the FID of samples that are asked for by this rule."""
    chosen = {"num_classes": 0, "instance_store": f"{OUT}/{STORE}", **sampler}
    return Evaluated("fid", options={"test_dataloader.dataset.condition_sampler": chosen})


BY_KMEANS = _asked(type="KMeansInstances")
BY_CHANCE = _asked(type="RandomInstances", size=CHOSEN)


def _over_unconditional(
    name: str, statement: str, source: str, published: str, measured: Logged, lower: bool = True
) -> Claim:
    """Return the claim that instances do better than no condition."""
    return Claim(
        name=name,
        statement=statement,
        source=source,
        published=published,
        better=Arm("IC-GAN", ICGAN, measured),
        worse=Arm("unconditional", UNCONDITIONAL, measured),
        lower=lower,
        note=SCALE,
        minutes=13,
    )


register_claim(
    _over_unconditional(
        "icgan-over-unconditional",
        "Conditioning on instances gives better samples than no condition, without any label.",
        "IC-GAN, Table 1",
        "ImageNet 64 px, unlabelled: FID 10.4 against 16.9",
        FID,
    )
)
register_claim(
    _over_unconditional(
        "icgan-covers-more",
        "Conditioning on instances covers more of the data than no condition does.",
        "IC-GAN, Table 1 and Section 2",
        "local densities together cover what one global one leaves out",
        RECALL,
        lower=False,
    )
)
register_claim(
    Claim(
        name="icgan-neighbourhood-size",
        statement="The size of the neighbourhoods is a bandwidth: far too many make samples worse.",
        source="IC-GAN, Section 3.5 and Fig. 4",
        published="the size matters, together with how many instances are stored; no figure is quoted here",
        better=Arm("20 neighbours", ICGAN, FID),
        worse=Arm("200 neighbours", _icgan(200), FID),
        also=(Arm("5 neighbours", _icgan(5), FID),),
        note=SCALE,
        minutes=21,
    )
)
register_claim(
    Claim(
        name="icgan-kmeans-over-random",
        statement="Samples asked for by instances that k-means chose are better than by as many random ones.",
        source="IC-GAN, Section 3.5 and Fig. 4",
        published="1,000 chosen by k-means have a lower FID than 5,000 random ones; drawn, not tabled",
        better=Arm("by k-means", ICGAN, BY_KMEANS),
        worse=Arm("at random", ICGAN, BY_CHANCE),
        note=SCALE + f" {CHOSEN} instances of 1,438 each way. Both arms are one run.",
        minutes=8,
    )
)
register_claim(
    Claim(
        name="icgan-all-instances",
        statement="Training with all instances gives better samples than with those that "
        "k-means chose alone.",
        source="IC-GAN, Table 13",
        published="ImageNet 64 px: FID 11.7 (all 1.2 million) against 24.8 (1,000)",
        better=Arm("trained with all", ICGAN, BY_KMEANS),
        worse=Arm(f"trained with {CHOSEN}", OF_CHOSEN, BY_KMEANS),
        note=SCALE + f" Both are asked for the {CHOSEN} that k-means chose; 20 neighbours, with which these "
        "reach every image.",
        minutes=15,
    )
)
