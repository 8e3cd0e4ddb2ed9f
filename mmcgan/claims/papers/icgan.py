"""IC-GAN: instances instead of labels."""

from mmcgan.claims.claim import OUT, Arm, Claim, Logged, Preparation, Training
from mmcgan.claims.registry import register_claim

FID, RECALL = Logged("fid"), Logged("recall")
SCALE = "Digits of 16 px without labels; neighbourhoods of a small extractor trained on them without labels."
EXTRACTOR, STORE = "stores/digits-ssl.safetensors", "stores/digits-16"
NEEDS = (
    Preparation(
        EXTRACTOR,
        (
            *("train-ssl-extractor", "--dataset", "biggan-unconditional_digits-16", "--image-size", "16"),
            *("--epochs", "10", "--out", f"{OUT}/{EXTRACTOR}"),
        ),
    ),
    Preparation(
        STORE,
        (
            *("prepare-instances", "--dataset", "icgan_biggan_digits-16", "--k", "200", "--kmeans", "100"),
            *("--extractor", f"{OUT}/{EXTRACTOR}", "--out", f"{OUT}/{STORE}"),
        ),
    ),
)


def _icgan(neighbours: int = 20) -> Training:
    options = {"train_dataloader.dataset.store": f"{OUT}/{STORE}", "train_dataloader.dataset.k": neighbours}
    return Training("icgan_biggan_digits-16", 1500, options=options, needs=NEEDS)


UNCONDITIONAL = Training(
    "biggan-unconditional_digits-16",
    1500,
    options={"val_evaluator.metrics": [dict(type="FID"), dict(type="PRDC", max_images=5000)]},
)


def _over_unconditional(
    name: str, statement: str, source: str, published: str, measured: Logged, lower: bool = True
) -> Claim:
    """Return the claim that instances do better than no condition."""
    return Claim(
        name=name,
        statement=statement,
        source=source,
        published=published,
        better=Arm("IC-GAN", _icgan(), measured),
        worse=Arm("unconditional", UNCONDITIONAL, measured),
        lower=lower,
        note=SCALE,
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
        better=Arm("20 neighbours", _icgan(20), FID),
        worse=Arm("200 neighbours", _icgan(200), FID),
        also=(Arm("5 neighbours", _icgan(5), FID),),
        note=SCALE,
    )
)
