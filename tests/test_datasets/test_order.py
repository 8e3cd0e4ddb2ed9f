import pickle

import pytest
import torch
from torch.utils.data import DataLoader

from mmcgan.datasets import Draw, InfiniteShuffle, SyntheticImages, gan_collate
from mmcgan.datasets import order as order_module
from mmcgan.registry import FUNCTIONS


def take(sampler, n):
    iterator = iter(sampler)
    return [next(iterator) for _ in range(n)]


def of_rank(monkeypatch, rank, world_size, **options):
    monkeypatch.setattr(order_module, "get_dist_info", lambda: (rank, world_size))
    return InfiniteShuffle(range(10), **options)


def test_every_epoch_is_another_permutation():
    stream = take(InfiniteShuffle(range(10), seed=1), 30)
    epochs = [stream[i : i + 10] for i in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_order_depends_on_the_seed_only():
    torch.manual_seed(0)
    first = take(InfiniteShuffle(range(50), seed=1), 120)
    torch.manual_seed(1)
    assert take(InfiniteShuffle(range(50), seed=1), 120) == first
    assert take(InfiniteShuffle(range(50), seed=2), 120) != first


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_partition_the_stream_of_one_process(monkeypatch, world_size):
    whole = take(InfiniteShuffle(range(10), seed=3), 36)
    for rank in range(world_size):
        own = take(of_rank(monkeypatch, rank, world_size, seed=3), 36 // world_size)
        assert own == whole[rank::world_size]
        assert [draw.position for draw in own] == list(range(rank, 36, world_size))


@pytest.mark.parametrize("position", [0, 7, 10, 23])
def test_start_equals_skipping(position):
    sampler = InfiniteShuffle(range(10), seed=4)
    whole = take(sampler, 40)
    sampler.start(position)
    resumed = take(sampler, 40 - position)
    assert resumed == whole[position:]
    assert [draw.position for draw in resumed] == list(range(position, 40))


def test_start_may_change_the_number_of_processes(monkeypatch):
    whole = take(InfiniteShuffle(range(10), seed=4), 32)
    for rank in range(2):
        sampler = of_rank(monkeypatch, rank, 2, seed=4)
        sampler.start(12)
        assert take(sampler, 10) == whole[12 + rank :: 2]


def test_start_is_immediate_far_into_a_run():
    sampler = InfiniteShuffle(range(1000), seed=0)
    sampler.start(10**12)
    assert take(sampler, 1)[0].position == 10**12


@pytest.mark.parametrize("seed", [0, None])
def test_draws_know_where_they_come_from(seed):
    sampler = InfiniteShuffle(range(5), seed=seed)
    draw = take(sampler, 8)[-1]
    assert (draw.position, draw.seed) == (7, sampler.seed)


def test_draw_survives_the_way_to_a_worker():
    draw = pickle.loads(pickle.dumps(Draw(3, position=7, seed=9)))
    assert (draw, draw.position, draw.seed) == (3, 7, 9)
    assert list("abcd")[draw] == "d"


def batches(workers):
    dataset = SyntheticImages(
        num_classes=3,
        image_size=8,
        size=20,
        pipeline=[
            dict(type="RandomFlip", prob=0.5),
            dict(type="RandomResize", scale=(8, 8), ratio_range=(1, 1)),
        ],
    )
    loader = DataLoader(
        dataset,
        batch_size=6,
        sampler=InfiniteShuffle(dataset, seed=5),
        num_workers=workers,
        collate_fn=gan_collate,
    )
    iterator = iter(loader)
    return [next(iterator) for _ in range(8)]


def test_batches_do_not_depend_on_workers():
    torch.manual_seed(0)
    alone = batches(0)
    torch.manual_seed(1)
    for one, other in zip(alone, batches(2), strict=True):
        assert torch.equal(one["image"], other["image"])
        assert torch.equal(one["label"], other["label"])


def test_collate_keeps_batches_and_stacks_samples():
    collate = FUNCTIONS.get("gan_collate")
    batch = dict(image=torch.zeros(2, 3, 4, 4))
    assert collate(batch) is batch
    stacked = collate([dict(image=torch.zeros(3, 4, 4), label=i) for i in (4, 5)])
    assert stacked["image"].shape == (2, 3, 4, 4)
    assert stacked["label"].tolist() == [4, 5]


def test_length_is_one_pass_of_this_rank(monkeypatch):
    assert len(InfiniteShuffle(range(10))) == 10
    assert len(of_rank(monkeypatch, 0, 3)) == 4


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="data set is empty"):
        InfiniteShuffle([])
    with pytest.raises(ValueError, match="position must not be negative, got -1"):
        InfiniteShuffle(range(3)).start(-1)
