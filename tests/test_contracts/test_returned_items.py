"""Data sets that return something else than they promise: said with their names before a folder is made."""

import pytest
import torch

from mmcgan import registry as r
from mmcgan.config.facts import SOURCE, fill_facts
from mmcgan.contracts import ContractError
from mmcgan.datasets import GANDataset
from mmcgan.engine.prepared import prepared_for

SIDE, SIZE = 8, 10


class Promised(GANDataset):
    """Zeros, with the labels 0, 1, 2, ..."""

    disk_arguments = ()

    def __init__(self, size: int = SIZE) -> None:
        self.size = size

    @classmethod
    def facts_of(cls, given):
        return dict(image_size=SIDE, num_classes=SIZE)

    def __len__(self):
        return self.size

    def __getitems__(self, indices):
        image = torch.zeros(len(indices), 3, SIDE, SIDE, dtype=torch.uint8)
        return {"image": image, "label": torch.tensor([int(index) for index in indices])}


def items(change):
    """Return ``__getitems__`` with what comes out of it changed."""
    return {"__getitems__": lambda self, indices: change(Promised.__getitems__(self, indices))}


def facts(value):
    return {"facts_of": classmethod(lambda cls, given: value)}


def config(size=SIZE, collate="gan_collate"):
    dataset = dict(type="Changed", size=size)
    return dict(train_dataloader=dict(dataset=dataset, collate_fn=dict(type=collate)))


@pytest.fixture
def changed():
    """Return a function that registers the data set with other members."""
    before = r.snapshot()
    yield lambda members: r.DATASETS.register_module(module=type("Changed", (Promised,), members))
    r.restore(before)


def unreadable(batch):
    raise OSError("a damaged file")


@pytest.mark.parametrize(
    "members",
    [
        {},
        items(lambda batch: {**batch, "path": ["a"] * len(batch["label"])}),
        items(lambda batch: [dict(image=image) for image in batch["image"]]),
        items(lambda batch: {"image": batch["image"]}),
        items(unreadable),
        {**facts({}), **items(lambda batch: {**batch, "label": batch["label"] + 50})},
        {**facts(dict(num_classes=0)), **items(lambda batch: {**batch, "label": batch["label"] + 50})},
        {**facts(dict(image_size=(8, 4))), **items(lambda batch: {"image": batch["image"][..., :4]})},
    ],
)
@pytest.mark.parametrize("size", [0, 1, 3, SIZE])
def test_what_is_promised_passes(changed, members, size):
    changed(members)
    with prepared_for(config(size)):
        pass


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            items(lambda batch: tuple(batch.values())),
            "__getitems__ returned a tuple, not a dict of tensors of 4",
        ),
        (items(lambda batch: None), "__getitems__ returned None, not a dict"),
        (items(lambda batch: [1, 2, 3, 4]), "__getitems__ returned a list, not a dict"),
        (items(lambda batch: [{}]), "__getitems__ returned a list, not a dict"),
        (items(lambda batch: {**batch, "image": 3}), "under 'image' returned a int, not a tensor of 4 rows"),
        (
            items(lambda batch: {**batch, "label": batch["label"][:3]}),
            "'label' returned int64 .3,., not a tensor",
        ),
        (
            items(lambda batch: {"image": batch["image"].repeat(1, 1, 2, 1)}),
            r"'image' returned uint8 \(4, 3, 16, 8\), not images .* image_size=8, as its facts say",
        ),
        (items(lambda batch: {**batch, "label": batch["label"] + 1}), "'label': class 10; .* num_classes=10"),
        (items(lambda batch: {**batch, "label": batch["label"] - 1}), "class -1; .* labels are 0 to 9"),
        ({"labels": torch.tensor([0, 10, 1])}, "labels: class 10; its facts say num_classes=10"),
        (facts(dict(num_classes=3)), "'label': class 9; its facts say num_classes=3"),
    ],
)
def test_what_is_not_is_named(changed, members, message):
    changed(members)
    with (
        pytest.raises(ContractError, match=f"Changed.*{message}.*docs/extending/dataset.md"),
        prepared_for(config()),
    ):
        pass


def test_what_another_function_joins_is_its_own_affair(changed):
    changed(items(lambda batch: tuple(batch.values())))
    with prepared_for(config(collate="default_collate")):
        pass


@pytest.mark.parametrize("value", [None, [], "image_size"])
@pytest.mark.parametrize("method", ["facts", "facts_of"])
def test_facts_that_are_no_dict_are_a_problem_of_the_data_set(changed, method, value):
    changed({method: classmethod(lambda cls, *given, **named: value)})
    (problem,) = fill_facts({**config(), "model": {}})
    assert problem.path == SOURCE and problem.message.startswith(f"Changed.{method} returned ")
    assert "not a dict of what is known" in problem.message
