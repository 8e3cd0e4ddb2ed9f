"""Some classes of a set: their images, numbered anew."""

import pytest
import torch

from mmcgan.registry import DATASETS

WHOLE = dict(type="SyntheticImages", size=40, num_classes=4, image_size=8)


def subset(*keep, **whole):
    return DATASETS.build(dict(type="ClassSubset", dataset={**WHOLE, **whole}, keep=keep))


def test_images_and_labels_of_the_classes_kept():
    whole, part = DATASETS.build(dict(WHOLE)), subset(3, 1)
    rows = [i for i in range(40) if int(whole.labels[i]) in (3, 1)]
    batch = part.__getitems__(range(len(part)))
    assert torch.equal(batch["image"], whole.__getitems__(rows)["image"])
    assert batch["label"].tolist() == [[3, 1].index(int(whole.labels[i])) for i in rows]
    assert part.metainfo["classes"] == (whole.classes[3], whole.classes[1])


def test_facts_agree_with_the_images():
    kind = DATASETS.get("ClassSubset")
    fashion = dict(type="FashionMNIST", split="test", image_size=32)
    assert kind.facts(dataset=fashion, keep=[2, 5]) == dict(
        num_classes=2, image_size=32, class_counts=(1000, 1000)
    )


def test_another_choice_is_another_set():
    assert subset(0, 1).fingerprint() != subset(1, 0).fingerprint() != subset(0, 2).fingerprint()


@pytest.mark.parametrize("keep", [(), (1, 1), (4,), (-1,)])
def test_impossible_choices_are_refused(keep):
    with pytest.raises(ValueError, match=r"different class numbers in 0\.\.3"):
        subset(*keep)


def test_an_unlabelled_set_is_refused():
    with pytest.raises(ValueError, match="SyntheticImages has no labels"):
        subset(0, num_classes=0)
