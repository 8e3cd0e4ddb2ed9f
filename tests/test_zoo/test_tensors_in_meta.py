"""A checkpoint whose facts are values of any kind is read or refused by its name."""

import pytest
import torch

from mmcgan.apis.fine_tuning import read_start
from mmcgan.zoo.discriminators import read_discriminator
from mmcgan.zoo.models import load_model
from tests.test_trust import hostile

FACTS = (
    *("iter", "images_seen", "seed", "seal", "dataset_meta", "world_size", "started_in", "components"),
    *("experiment_name", "mmcgan_version", "history", "time", "epoch"),
)
VALUES = (
    torch.ones(2),
    torch.empty(0),
    None,
    [1],
    {"a": 1},
    {"classes": torch.ones(2)},
    b"x",
    -5,
    1e300,
    10**30,
)


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_of_any_kind_is_read_or_refused_by_name(fact, tmp_path):
    path = tmp_path / "iter_1.pth"
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    for value in VALUES:
        hostile.write_run(path, model, **{fact: value})
        for read in (load_model, read_start, read_discriminator):
            try:
                read(path)
            except ValueError as refused:
                assert str(path) in str(refused)


@pytest.mark.parametrize("part", ["meta", "message_hub", "state_dict"])
def test_a_part_of_any_kind_is_refused_by_name(part, tmp_path):
    path = tmp_path / "iter_1.pth"
    for value in VALUES:
        torch.save({"state_dict": {"generator.a": torch.ones(1)}, part: value}, path)
        with pytest.raises(ValueError, match=r"iter_1\.pth"):
            load_model(path)
