"""Evaluation conditions with instances: repeatable, from any store."""

import pytest
import torch

from mmcgan.registry import DATASETS
from tests.test_instances.stores import make_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("conditions") / "store")[0]


def conditions(store, size=6, seed=0, **sampler):
    rule = dict(type="KMeansInstances", instance_store=str(store.root)) | sampler
    return DATASETS.build(
        dict(
            type="InstanceConditionDataset",
            size=size,
            latent_dim=4,
            condition_sampler=rule,
            seed=seed,
        )
    )


def test_an_item_depends_on_seed_and_index_alone(store):
    few, many = conditions(store), conditions(store, size=20)
    first, second = few.__getitems__([3, 1]), many.__getitems__(range(20))
    for name in ("latent", "instance"):
        assert torch.equal(first[name], second[name][[3, 1]])
    other = conditions(store, seed=1).__getitems__([3, 1])
    assert not torch.equal(other["latent"], first["latent"])


def test_instances_are_those_of_the_sampler(store):
    asked = conditions(store, size=50).__getitems__(range(50))["instance"]
    selected = store.features(store.selected())
    assert (asked @ selected.T).max(1).values.min() > 0.999999


def test_labels_come_with_classes_only(store):
    assert "label" not in conditions(store)[0]
    labelled = conditions(store, num_classes=3)
    assert 0 <= labelled[0]["label"] < 3
    assert (conditions(store).metainfo["num_classes"], labelled.metainfo["num_classes"]) == (0, 3)


def test_bad_numbers_are_refused(store):
    with pytest.raises(ValueError, match="size must be at least 1"):
        conditions(store, size=0)
    with pytest.raises(IndexError, match=r"has 6 items; asked for \[6\]"):
        conditions(store)[6]
