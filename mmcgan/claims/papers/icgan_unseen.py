"""IC-GAN where classes are rare or missing: a long tail, and digits that training never showed."""

from typing import Any

from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Evaluated
from mmcgan.claims.papers.icgan_stores import prepared
from mmcgan.claims.registry import register_claim
from mmcgan.claims.source import OUT, Training

WHOLE = {"type": "DigitsDataset", "split": "train", "image_size": 16}
RATIO = 30
TAIL = {"type": "ImbalancedDataset", "dataset": WHOLE, "ratio": RATIO}
#: 145, 99, 68 | 46, 32, 21, 15 | 10, 7, 4 images of a class
GROUPS = {"many": (0, 1, 2), "medium": (3, 4, 5, 6), "few": (7, 8, 9)}
PUBLISHED = {"many": "28.8 and 23.8", "medium": "32.8 and 28.0", "few": "48.4 and 42.7"}

STORE = "stores/digits-16-tail"
CLASS_ICGAN = "icgan-class_biggan_digits-16"
TAIL_ICGAN = Training(
    CLASS_ICGAN,
    1500,
    options={
        "train_dataloader.dataset.dataset": TAIL,
        "train_dataloader.dataset.store": f"{OUT}/{STORE}",
        "train_dataloader.dataset.k": 5,
    },
    needs=prepared(STORE, CLASS_ICGAN, k=5, dataset=repr(TAIL)),
)
TAIL_BIGGAN = Training(
    "biggan_digits-16",
    1500,
    options={
        "train_dataloader.dataset": TAIL,
        "model.condition_sampler": {"type": "EmpiricalLabel"},
        "val_dataloader.dataset.labels": "balanced",
    },
)
STRATA: dict[str, Any] = {
    "test_evaluator.metrics": [
        {"type": "FID"},
        {"type": "StratifiedFID", "groups": {name: list(labels) for name, labels in GROUPS.items()}},
    ],
    "test_evaluator.reference.dataset": WHOLE,
}


def _in_group(group: str, rule: dict[str, Any]) -> Evaluated:
    return Evaluated(f"fid_{group}", options={**STRATA, **rule})


OF_LABELS = {"test_dataloader.dataset.labels": "balanced"}
OF_INSTANCES = {
    "test_dataloader.dataset.condition_sampler": {
        "type": "ClassInstances",
        "instance_store": f"{OUT}/{STORE}",
        "num_classes": 10,
    }
}
for group in GROUPS:
    register_claim(
        Claim(
            name=f"icgan-long-tail-{group}",
            statement=f"Of classes with {group} images, a class-conditional IC-GAN makes better samples than "
            "BigGAN.",
            source="IC-GAN, Table 4",
            published=f"ImageNet-LT 64 px, {group}: FID of BigGAN and IC-GAN {PUBLISHED[group]}",
            better=Arm("IC-GAN, y and h", TAIL_ICGAN, _in_group(group, OF_INSTANCES)),
            worse=Arm("BigGAN", TAIL_BIGGAN, _in_group(group, OF_LABELS)),
            note=f"Digits of 16 px, {RATIO} times as many images of the first class as of the "
            "last; FID against "
            "all images of the classes of the group, every class asked for equally often.",
            minutes=13,
        )
    )

SEEN = {"type": "ClassSubset", "dataset": WHOLE, "keep": [0, 1, 2, 3, 4, 5, 6]}
UNSEEN = {"type": "ClassSubset", "dataset": WHOLE, "keep": [7, 8, 9]}
SEEN_STORE, UNSEEN_STORE = "stores/digits-16-seen", "stores/digits-16-unseen"
ICGAN = "icgan_biggan_digits-16"
OF_SEEN = Training(
    ICGAN,
    1500,
    options={
        "train_dataloader.dataset.dataset": SEEN,
        "train_dataloader.dataset.store": f"{OUT}/{SEEN_STORE}",
        "val_evaluator.reference.dataset": SEEN,
    },
    needs=(
        *prepared(SEEN_STORE, ICGAN, k=20, kmeans=100, dataset=repr(SEEN)),
        *prepared(UNSEEN_STORE, ICGAN, k=20, kmeans=50, dataset=repr(UNSEEN))[1:],
    ),
)


def _of_unseen(store: str) -> Evaluated:
    """Return the FID to images of the unseen digits, asked for by instances of a store."""
    rule = {"type": "AllInstances", "num_classes": 0, "instance_store": f"{OUT}/{store}"}
    options = {
        "test_dataloader.dataset.condition_sampler": rule,
        "test_evaluator.reference.dataset": UNSEEN,
    }
    return Evaluated("fid", options=options)


register_claim(
    Claim(
        name="icgan-transfer",
        statement="Instances of classes that training never saw move the samples towards these classes.",
        source="IC-GAN, Section 3.3, Fig. 1c and Table 10",
        published="ImageNet to COCO-Stuff, 128 px: FID 8.5 by its instances, 43.6 by those of ImageNet",
        better=Arm("instances of 7, 8, 9", OF_SEEN, _of_unseen(UNSEEN_STORE)),
        worse=Arm("instances of 0 to 6", OF_SEEN, _of_unseen(SEEN_STORE)),
        note="Trained on the digits 0 to 6, 16 px, without labels; FID against images of 7, "
        "8 and 9. The extractor "
        "of instances has seen all digits, without labels. Both arms are one run.",
        minutes=8,
    )
)
