"""Instances and labels asked of the generator follow their laws."""

import numpy as np
import pytest
import torch

from mmcgan.instances import StoreError
from mmcgan.random import make_generator
from mmcgan.registry import SAMPLERS
from tests.test_instances.stores import make_store

N = 60000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("stores") / "store")[0]


def build(store, kind, **options):
    return SAMPLERS.build(dict(type=kind, instance_store=str(store.root), **options))


def draw(sampler, n=N):
    return sampler.draw(n, make_generator(0, "test"))


def shares(values, size):
    return torch.bincount(values, minlength=size).double() / len(values)


def assert_law(values, expected):
    """The observed shares are within five standard deviations of the expected ones."""
    deviation = (expected * (1 - expected) / len(values)).sqrt()
    assert ((shares(values, len(expected)) - expected).abs() <= 5 * deviation + 1e-12).all()


def test_all_instances_uniformly_with_a_neighbours_label(store):
    index, label = draw(build(store, "AllInstances", num_classes=3))
    assert_law(index, torch.full((40,), 1 / 40).double())
    near = store.labels[store.neighbours(torch.arange(40))]
    assert_law(label, shares(near.flatten(), 3))
    chosen = index == 4
    assert_law(label[chosen], shares(near[4], 3))


def test_the_nearest_neighbour_alone_gives_the_label(store):
    index, label = draw(build(store, "AllInstances", num_classes=3, k=1), 100)
    assert torch.equal(label, store.labels[store.neighbours(index)[:, 0]])


def test_own_labels(store):
    index, label = draw(build(store, "KMeansInstances", num_classes=3, label="own"), 100)
    assert torch.equal(label, store.labels[index])
    assert set(index.tolist()) <= set(store.selected().tolist())


def test_a_random_subset_is_the_same_at_every_start(store):
    subset = set(draw(build(store, "RandomInstances", size=6), 1000)[0].tolist())
    assert subset == set(draw(build(store, "RandomInstances", size=6), 500)[0].tolist())
    assert len(subset) == 6
    assert subset != set(draw(build(store, "RandomInstances", size=6, seed=1), 1000)[0].tolist())


@pytest.mark.parametrize("as_file", [False, True])
def test_weighted_instances(store, tmp_path, as_file):
    weights = np.arange(40, dtype=np.float32)
    np.save(tmp_path / "weights.npy", weights)
    given = str(tmp_path / "weights.npy") if as_file else weights.tolist()
    index, label = draw(build(store, "WeightedInstances", weights=given))
    assert label is None
    assert_law(index, torch.from_numpy(weights).double() / weights.sum())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (dict(), [1 / 3, 1 / 3, 1 / 3]),
        (dict(class_weights=[1, 0, 3]), [0.25, 0, 0.75]),
        (dict(temperature=0.5), [14**2, 13**2, 13**2]),
    ],
)
def test_classes_first_then_an_image_then_an_instance_near_it(store, options, expected):
    index, label = draw(build(store, "ClassInstances", num_classes=3, **options))
    law = torch.tensor(expected, dtype=torch.float64)
    law /= law.sum()
    assert_law(label, law)
    order, starts = store.class_rows()
    joint = torch.zeros(40, dtype=torch.float64)
    for y in range(3):
        near = store.neighbours(order[starts[y] : starts[y + 1]])
        joint += law[y] * shares(near.flatten(), 40)
    assert_law(index, joint)


def test_a_condition_holds_features_and_labels(store):
    condition = build(store, "AllInstances", num_classes=3, flip=True).sample(64, make_generator(1))
    assert condition.instance.shape == (64, 16) and condition.label.shape == (64,)
    straight = store.features(torch.arange(40))
    mirrored = store.features(torch.arange(40), torch.ones(40, dtype=torch.bool))
    is_straight = (condition.instance[:, None] == straight).all(2).any(1)
    is_mirrored = (condition.instance[:, None] == mirrored).all(2).any(1)
    assert (is_straight ^ is_mirrored).all()
    assert 15 < int(is_straight.sum()) < 49
    assert build(store, "AllInstances").sample(2, make_generator(1)).label is None


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("AllInstances", dict(num_classes=4), "3 classes, num_classes=4"),
        ("AllInstances", dict(k=9), "keeps 5 neighbours"),
        ("AllInstances", dict(label="mine"), "neighbour or own"),
        ("RandomInstances", dict(size=41), "size must be in 1..40"),
        ("WeightedInstances", dict(weights=[1.0]), "1 weights for the 40"),
        ("WeightedInstances", dict(weights=[-1.0] * 40), "not negative"),
        ("ClassInstances", dict(num_classes=0), "at least 1"),
        ("ClassInstances", dict(num_classes=3, class_weights=[1, 2]), "3 numbers"),
        ("ClassInstances", dict(num_classes=3, class_weights=[1, 2, 3], temperature=1.0), "not both"),
    ],
)
def test_impossible_options(store, kind, options, message):
    with pytest.raises(ValueError, match=message):
        build(store, kind, **options)


def test_labels_of_an_unlabelled_store_are_refused(tmp_path):
    store, _ = make_store(tmp_path / "store", labelled=False, kmeans=0)
    with pytest.raises(StoreError, match="no labels, which a class-conditional model needs"):
        build(store, "AllInstances", num_classes=3)
    with pytest.raises(StoreError, match="--kmeans"):
        build(store, "KMeansInstances")
