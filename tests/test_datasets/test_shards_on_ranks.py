"""Shards on two ranks with two workers each: every image once an epoch, and any position taken up exactly."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader

from mmcgan.datasets import ShardDataset, ShardShuffle, gan_collate
from mmcgan.datasets.packing.forms import TarShards
from mmcgan.datasets.packing.pack import pack
from tests.test_datasets.life import SIZE, pictures
from tests.test_engine.ranks import run_ranks

COUNT, BATCH, RANKS = 24, 3, 2


@pytest.fixture
def shards(tmp_path):
    from mmcgan.datasets import ImageFolder

    for name, kind, image in pictures(12):
        for copy in range(2):
            place = tmp_path / "set" / kind / f"{copy}-{name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            image.point(lambda level, copy=copy: level + 7 * copy if level < 255 else 255).save(place)
    pack(ImageFolder(str(tmp_path / "set"), SIZE), tmp_path / "shards", shard_images=5, form=TarShards(True))
    return tmp_path / "shards"


def levels_read(rank, root, position, batches, workers):
    """Return the levels of the images that a rank's workers read, from a position of all ranks on."""
    dist.init_process_group("gloo", rank=rank, world_size=RANKS)
    try:
        data = ShardDataset(root, SIZE)
        sampler = ShardShuffle(data, seed=4, lanes=4, window=4)
        sampler.start(position)
        loader = DataLoader(data, BATCH, sampler=sampler, num_workers=workers, collate_fn=gan_collate)
        read = [batch["image"][:, 0, -1, -1] for _, batch in zip(range(batches), loader, strict=False)]
        return torch.cat(read).tolist()
    finally:
        dist.destroy_process_group()


def read_together(folder, root, position=0, batches=8, workers=2):
    """Return what both ranks read, in the order of the stream."""
    parts = run_ranks(levels_read, folder, str(root), position, batches, workers)
    assert all(isinstance(part, list) for part in parts), parts
    return [level for pair in zip(*parts, strict=True) for level in pair]


def test_each_image_comes_once_an_epoch_whoever_reads(shards, tmp_path):
    read = read_together(tmp_path / "two", shards)  # 8 batches of 3 images on 2 ranks: two epochs
    every = sorted(ShardDataset(str(shards), SIZE)[row]["image"][0, -1, -1].item() for row in range(COUNT))
    assert len(set(every)) == COUNT
    assert sorted(read[:COUNT]) == every and sorted(read[COUNT:]) == every
    assert read[:COUNT] != read[COUNT:]
    assert read_together(tmp_path / "plain", shards, workers=0) == read


@pytest.mark.parametrize("position", [6, 18, 24, 30], ids=lambda at: f"from image {at}")
def test_going_on_is_never_having_stopped(shards, tmp_path, position):
    whole = read_together(tmp_path / "whole", shards)
    later = read_together(tmp_path / "later", Path(shards), position, batches=(48 - position) // 6)
    assert later == whole[position:]
