import pytest
import torch
from torch.utils.data import DataLoader

from mmcgan.datasets import ConditionDataset, gan_collate
from mmcgan.registry import DATASETS


def build(**changes):
    return DATASETS.build(
        {"type": "ConditionDataset", "size": 40, "latent_dim": 6, "num_classes": 4, **changes}
    )


def read(dataset, **loader):
    batches = list(DataLoader(dataset, collate_fn=gan_collate, **loader))
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


def test_batch_size_workers_and_size_change_nothing():
    whole = build().__getitems__(range(40))
    for loader in (dict(batch_size=1), dict(batch_size=7), dict(batch_size=16, num_workers=2)):
        again = read(build(), **loader)
        assert torch.equal(whole["latent"], again["latent"])
        assert torch.equal(whole["label"], again["label"])
    longer = build(size=1000)[39]
    assert torch.equal(longer["latent"], whole["latent"][39])


def test_single_item_is_a_row_of_the_batch():
    batch, item = build().__getitems__([5, 17]), build()[17]
    assert torch.equal(batch["latent"][1], item["latent"])
    assert batch["label"].tolist()[1] == item["label"] == 1
    assert batch["latent"].shape == (2, 6) and batch["latent"].dtype == torch.float32


def test_another_seed_asks_for_other_latents():
    assert not torch.equal(build(seed=1)[0]["latent"], build()[0]["latent"])


def test_latents_are_independent_standard_normal():
    latent = build(size=4000).__getitems__(range(4000))["latent"]
    assert latent.mean(0).abs().max() < 0.08
    torch.testing.assert_close(torch.cov(latent.T), torch.eye(6), rtol=0, atol=0.1)


def test_latent_law_can_be_chosen():
    dataset = build(latent_sampler=dict(type="TruncatedNormalLatent", threshold=0.5))
    assert dataset.__getitems__(range(40))["latent"].abs().max() <= 0.5


def test_balanced_labels_are_balanced_in_every_stretch():
    label = build().__getitems__(range(40))["label"]
    assert all(sorted(part.tolist()) == [0, 1, 2, 3] for part in label.split(4))


def test_empirical_labels_follow_the_counts():
    dataset = build(size=3000, labels="empirical", class_counts=[70, 20, 10, 0])
    share = torch.bincount(dataset.__getitems__(range(3000))["label"], minlength=4) / 3000
    torch.testing.assert_close(share, torch.tensor([0.7, 0.2, 0.1, 0.0]), rtol=0, atol=0.03)


def test_given_labels():
    assert build(labels=[3, 1]).__getitems__(range(5))["label"].tolist() == [3, 1, 3, 1, 3]
    assert build(labels=2).__getitems__(range(3))["label"].tolist() == [2, 2, 2]


def test_without_classes_there_is_no_label():
    dataset = build(num_classes=0)
    assert list(dataset[0]) == list(dataset.__getitems__([0, 1])) == ["latent"]
    assert dataset.metainfo["num_classes"] == 0 and dataset.metainfo["labels"] is None


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        (dict(latent_dim=None), "latent_dim is missing"),
        (dict(size=0), "size must be at least 1, got 0"),
        (dict(labels="balance"), "labels='balance': choose balanced or empirical"),
        (dict(labels=[1, 4]), r"labels \[4\] are outside 0\.\.3"),
        (dict(labels=[]), "labels"),
        (dict(labels="empirical"), "needs class_counts, one number for each of the 4 classes, got None"),
    ],
)
def test_mistakes_are_named(changes, phrase):
    with pytest.raises(ValueError, match=f"ConditionDataset: .*{phrase}|ConditionDataset: {phrase}"):
        build(**changes)


def test_index_beyond_the_end():
    with pytest.raises(IndexError, match="has 40 items; asked for 40"):
        build()[40]


def test_class_is_registered():
    assert isinstance(build(), ConditionDataset)
