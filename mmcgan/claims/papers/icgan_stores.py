"""What claims about IC-GAN need before they train: an extractor of digits, and stores made with it."""

from mmcgan.claims.source import OUT, Preparation

DIGITS = "digits-16"
EXTRACTOR = "stores/digits-ssl.safetensors"
_EXTRACTOR = Preparation(
    EXTRACTOR,
    (
        *("train-ssl-extractor", "--dataset", "biggan-unconditional_digits-16", "--image-size", "16"),
        *("--epochs", "10", "--out", f"{OUT}/{EXTRACTOR}"),
    ),
)


def prepared(store: str, config: str, k: int, kmeans: int = 0, dataset: str = "") -> tuple[Preparation, ...]:
    """Return what makes the extractor, once, and a store of a config's images.

    Args:
        store: to make, below the folder of claims.
        config: whose training images are looked at.
        k: neighbours of each image.
        kmeans: instances to choose.
        dataset: of other images, as a Python literal, in place of the config's.
    """
    other = ("--cfg-options", f"train_dataloader.dataset.dataset={dataset}") if dataset else ()
    return (
        _EXTRACTOR,
        Preparation(
            store,
            (
                *("prepare-instances", "--dataset", config, "--k", str(k), "--kmeans", str(kmeans)),
                *("--extractor", f"{OUT}/{EXTRACTOR}", "--out", f"{OUT}/{store}"),
                *other,
            ),
        ),
    )
