"""Real pairs of instance conditioning: which image, which feature, which label."""

import pytest
import torch

from mmcgan.config.facts import fill_facts
from mmcgan.datasets import Draw
from mmcgan.instances import StoreError
from mmcgan.registry import DATASETS
from tests.test_instances.stores import make_store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("stores") / "store")


def build(made, **options):
    store, config = made
    return DATASETS.build(
        dict(type="NeighbourhoodDataset", dataset=dict(config), store=str(store.root), **options)
    )


def positions(index, count, seed=0):
    return [Draw(index, position, seed) for position in range(count)]


def images_shown(dataset, batch):
    """Return the index of every image of a batch."""
    return [int((dataset.images.images == image).flatten(1).all(1).nonzero()) for image in batch["image"]]


def test_an_instance_comes_with_images_of_its_neighbourhood(made):
    dataset = build(made, k=3)
    batch = dataset.__getitems__(positions(4, 300))
    shown = images_shown(dataset, batch)
    near = made[0].neighbours(torch.tensor([4]))[0, :3].tolist()
    counts = [shown.count(index) for index in near]
    assert sum(counts) == 300 and min(counts) > 70  # uniform: 100 each, standard deviation 8
    assert torch.equal(batch["label"], dataset.labels[torch.tensor(shown)])
    assert torch.equal(batch["instance"], made[0].features(torch.tensor([4])).expand(300, -1))


def test_an_image_comes_with_an_instance_near_it(made):
    dataset = build(made, order="image")
    batch = dataset.__getitems__(positions(7, 100))
    assert set(images_shown(dataset, batch)) == {7}
    near = made[0].features(made[0].neighbours(torch.tensor([7]))[0])
    same = (batch["instance"][:, None] == near).all(2)
    assert same.any(1).all() and same.any(0).all()


def test_an_image_can_be_in_its_own_neighbourhood(made):
    dataset = build(made, include_self=True)
    shown = images_shown(dataset, dataset.__getitems__(positions(4, 200)))
    assert 20 < shown.count(4) < 50  # one in six


def test_half_of_the_instances_are_mirrored(made):
    batch = build(made, flip=True).__getitems__(positions(4, 400))
    straight = (batch["instance"] == made[0].features(torch.tensor([4]))).all(1)
    mirrored = made[0].features(torch.tensor([4]), torch.tensor([True]))
    assert torch.equal(~straight, (batch["instance"] == mirrored).all(1))
    assert 150 < int(straight.sum()) < 250
    # independent of the choice of the neighbour
    assert len({tuple(image.flatten().tolist()) for image in batch["image"][straight]}) == 5


def test_a_draw_depends_on_seed_and_position_alone(made):
    dataset = build(made, flip=True)
    draws = [Draw(index, position, 3) for index, position in ((1, 10), (2, 11), (1, 12))]
    batch = dataset.__getitems__(draws)
    for row, draw in enumerate(draws):
        item = dataset[draw]
        assert torch.equal(item["image"], batch["image"][row])
        assert torch.equal(item["instance"], batch["instance"][row])
        assert item["label"] == int(batch["label"][row])
    other = [Draw(index, position, 4) for index, position in ((1, 10), (2, 11), (1, 12))]
    assert any(dataset.draw(other)[1] != dataset.draw(draws)[1])


def test_selected_instances_come_with_their_own_neighbours_only(made):
    dataset = build(made, instances="kmeans")
    assert len(dataset) == 8
    chosen = made[0].selected()
    for place in range(8):
        batch = dataset.__getitems__(positions(place, 60))
        assert set(images_shown(dataset, batch)) == set(
            made[0].neighbours(chosen[place : place + 1])[0].tolist()
        )
        assert torch.equal(batch["instance"][0], made[0].features(chosen[place : place + 1])[0])


def test_an_index_outside_is_an_error(made):
    with pytest.raises(IndexError, match="has 40 items"):
        build(made)[40]


def test_facts_reach_the_model(made):
    store, images = made
    dataset = dict(type="NeighbourhoodDataset", dataset=dict(images), store=str(store.root))
    config = dict(
        model=dict(type="ConditionalGAN", condition_sampler=dict(type="AllInstances")),
        train_dataloader=dict(dataset=dataset),
    )
    assert fill_facts(config) == []
    sampler = config["model"]["condition_sampler"]
    assert sampler == dict(type="AllInstances", num_classes=3, instance_store=str(store.root))
    assert build(made).metainfo["instance_dim"] == 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(k=6), "keeps 5 neighbours"),
        (dict(instances="kmeans", order="image"), "needs order='instance'"),
        (dict(order="class"), "order must be one of instance, image"),
    ],
)
def test_impossible_options(made, options, message):
    with pytest.raises(ValueError, match=message):
        build(made, **options)


def test_a_store_of_other_images_is_refused(made):
    store, config = made
    other = dict(config, seed=5)
    with pytest.raises(StoreError, match="made of another data set"):
        build((store, other))
    assert len(build((store, other), check_images=False)) == 40
    with pytest.raises(StoreError, match="40 instances, the data set 30"):
        build((store, dict(config, size=30)), check_images=False)


def test_a_store_without_mirrored_features_cannot_flip(tmp_path):
    made = make_store(tmp_path / "store", flip=False)
    with pytest.raises(StoreError, match="--flip"):
        build(made, flip=True)


def test_a_configuration_can_be_tried_without_its_store():
    kind = DATASETS.get("NeighbourhoodDataset")
    config = dict(type="NeighbourhoodDataset", dataset=dict(type="CIFAR10"), store="data/nowhere", k=50)
    dataset = DATASETS.build(kind.stand_in(config, dict(num_classes=7, image_size=32)))
    assert dataset.metainfo["num_classes"] == 10  # CIFAR10 knows its own
    assert dataset[0]["instance"].shape == (16,)
