"""A store is verified against what it is used for, and says how to build it again."""

import json
import pickle

import pytest
import torch

from mmcgan.instances import InstanceStore, StoreError, store_facts
from mmcgan.registry import DATASETS, EXTRACTORS
from tests.test_instances.stores import NoisyImages, make_store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("stores") / "store")


def test_features_are_those_of_the_images_and_their_mirror_images(made):
    store, config = made
    images = DATASETS.build(dict(config)).images
    rows = torch.tensor([3, 17, 0])
    expected = torch.nn.functional.normalize(images[rows, 0].flatten(1).float())
    mirrored = torch.nn.functional.normalize(images[rows, 0].flip(-1).flatten(1).float())
    torch.testing.assert_close(store.features(rows), expected, atol=0.01, rtol=0)
    got = store.features(rows, torch.tensor([True, False, True]))
    torch.testing.assert_close(got[[0, 2]], mirrored[[0, 2]], atol=0.01, rtol=0)
    torch.testing.assert_close(got[1], expected[1], atol=0.01, rtol=0)


def test_neighbours_radius_and_classes(made):
    store, _ = made
    features = store.features(torch.arange(40)).double()
    similarity = features @ features.T
    similarity.fill_diagonal_(-2)
    wanted = similarity.argsort(dim=1, descending=True)[:, :5]
    assert torch.equal(store.neighbours(torch.arange(40)), wanted)
    distance = (features - features[wanted[:, -1]]).norm(dim=1)
    torch.testing.assert_close(store.radius().double(), distance, atol=1e-5, rtol=0)
    order, starts = store.class_rows()
    assert starts.tolist() == [0, 14, 27, 40]
    assert (store.labels[order] == torch.arange(3).repeat_interleave(starts.diff())).all()


def test_selected_instances_are_unique(made):
    assert len(made[0].selected().unique()) == 8


def test_facts_come_from_the_metadata(made):
    assert store_facts(str(made[0].root)) == dict(instance_dim=16, instance_store=str(made[0].root))


def test_another_data_set_is_refused_with_the_command(made):
    store, config = made
    store.require_dataset(DATASETS.build(dict(config)))
    with pytest.raises(StoreError, match=r"other pixels.*\n  mmcgan prepare-instances \.\.\."):
        store.require_dataset(NoisyImages(seed=1))
    with pytest.raises(StoreError, match="40 and 39 images"):
        store.require_dataset(NoisyImages(size=39))


def test_another_extractor_is_refused(made):
    store, _ = made
    config = store.metadata["extractor"]["config"]
    store.require_extractor(EXTRACTORS.build(dict(config)).describe())
    other = EXTRACTORS.build(dict(config, scale=2.0)).describe()
    with pytest.raises(StoreError, match="weights_sha256"):
        store.require_extractor(other)


def test_too_few_neighbours_are_refused(made):
    assert made[0].require_k(None) == 5
    with pytest.raises(StoreError, match=r"keeps 5 neighbours.*--k 6"):
        made[0].require_k(6)


def test_an_unlabelled_store_has_no_classes(tmp_path):
    store, _ = make_store(tmp_path / "store", labelled=False, flip=False, kmeans=0)
    with pytest.raises(StoreError, match="no labels"):
        store.class_rows()
    with pytest.raises(StoreError, match="--flip"):
        store.features(torch.tensor([1]), torch.tensor([True]))
    with pytest.raises(StoreError, match="--kmeans"):
        store.selected()


def test_no_store_and_damaged_ones(tmp_path):
    with pytest.raises(FileNotFoundError, match="mmcgan prepare-instances"):
        InstanceStore(tmp_path / "nothing")
    store, _ = make_store(tmp_path / "store")
    path = store.root / "features.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(StoreError, match="truncated"):
        InstanceStore(store.root)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"features\.npy is missing"):
        InstanceStore(store.root)
    (store.root / "metadata.json").write_text("{")
    with pytest.raises(StoreError, match="damaged metadata"):
        InstanceStore(store.root)


def test_a_file_of_pickled_objects_is_not_executed(tmp_path):
    store, _ = make_store(tmp_path / "store")
    path = store.root / "labels.npy"
    path.write_bytes(pickle.dumps(print))
    metadata = json.loads((store.root / "metadata.json").read_text())
    metadata["files"]["labels.npy"]["bytes"] = path.stat().st_size
    (store.root / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="pickled"):
        InstanceStore(store.root)


def test_a_store_travels_to_workers_without_its_arrays(made):
    assert len(pickle.dumps(made[0])) < 20000
