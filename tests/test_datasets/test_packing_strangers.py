"""Packing data sets that were written with nothing but what the documentation asks for."""

import json
import re
from pathlib import Path

import pytest
import torch

from mmcgan.cli import main
from mmcgan.datasets import BadImageError, GANDataset, PackedDataset
from mmcgan.datasets.packing.forms import Arrays, TarShards
from mmcgan.datasets.packing.pack import pack
from mmcgan.datasets.packing.shards import ShardDataset
from mmcgan.registry import DATASETS

DOCS = Path(__file__).parents[2] / "docs" / "extending" / "dataset.md"
SIZE, SIDE = 6, 8


class Bare(GANDataset):
    """The two methods that a data set must have, and labels in its items."""

    broken = ()

    def __init__(self, *fields):
        self.fields = fields

    def __len__(self):
        return SIZE

    def __getitems__(self, indices):
        rows = torch.tensor([int(index) for index in indices])
        if set(rows.tolist()) & set(self.broken):
            raise BadImageError(f"image {rows.tolist()}: broken")
        image = (rows * 20).view(-1, 1, 1, 1).expand(-1, 3, SIDE, SIDE).to(torch.uint8)
        known = {"label": rows % 3, "attributes": torch.ones(len(rows), 2), "caption_seed": rows}
        return {"image": image, **{name: known[name] for name in self.fields}}


def opened(root, form):
    return PackedDataset(str(root)) if isinstance(form, Arrays) else ShardDataset(str(root), SIDE)


FORMS = pytest.mark.parametrize("form", [Arrays(), TarShards(True), TarShards(False)], ids=["a", "t", "p"])


@FORMS
def test_a_set_of_the_two_methods_alone_is_packed_with_the_labels_of_its_items(tmp_path, form):
    data = Bare("label")
    packed = opened(pack(data, tmp_path / "out", shard_images=4, form=form).root, form)
    found, expected = (one.__getitems__(range(SIZE)) for one in (packed, data))
    assert torch.equal(found["image"], expected["image"])
    assert torch.equal(found["label"], expected["label"])
    assert packed.classes == ("0", "1", "2")


def test_without_labels_there_are_none(tmp_path):
    packed = PackedDataset(str(pack(Bare(), tmp_path / "out").root))
    assert packed.labels is None and len(packed) == SIZE


def test_a_bad_image_of_it_is_left_out_with_its_label(tmp_path):
    class Broken(Bare):
        broken = (0, 4)

        def fingerprint(self):
            return "of its files"

    result = pack(Broken("label"), tmp_path / "out", skip_bad=True)
    assert len(result.skipped) == 2
    assert PackedDataset(str(result.root)).labels.tolist() == [1, 2, 0, 2]


@pytest.mark.parametrize("form", ["arrays", "shards"])
def test_the_data_set_of_the_documentation_is_packed_by_the_command(tmp_path, form, monkeypatch):
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL).group(1)
    module = f"stripes_of_docs_{form}"  # of a module that was imported nothing is registered again
    (tmp_path / f"{module}.py").write_text(code.replace("register_module()", "register_module(force=True)"))
    monkeypatch.syspath_prepend(str(tmp_path))
    config = tmp_path / "config.py"
    config.write_text(
        "_base_ = '{{$MMCGAN_CONFIGS:}}/biggan/biggan_digits-16.py'\n"
        f"custom_imports = dict(imports=['{module}'])\n"
        "train_dataloader = dict(dataset=dict(_delete_=True, type='Stripes', image_size=16, size=70))\n"
    )
    try:
        assert main(["pack-dataset", str(config), str(tmp_path / "out"), "--to", form]) == 0
    finally:
        DATASETS.module_dict.pop("Stripes", None)
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    assert metadata["classes"] == ["rows", "columns"] and metadata["class_counts"] == [35, 35]
    assert (metadata["size"], metadata["image_size"]) == (70, 16)


@FORMS
@pytest.mark.parametrize(
    "fields", [("attributes",), ("label", "caption_seed"), ("attributes", "caption_seed")]
)
def test_fields_that_a_pack_does_not_hold_are_refused_by_name_before_work(tmp_path, form, fields):
    with pytest.raises(ValueError, match=r"Bare: its items have .*, which would be lost") as raised:
        pack(Bare(*fields), tmp_path / "out", form=form)
    assert all(name in str(raised.value) for name in fields if name != "label")
    assert not [*tmp_path.iterdir()]


def test_our_own_sets_with_attributes_are_refused_too(tmp_path):
    data = DATASETS.build(dict(type="TwoDomainDigits", split="test", image_size=16))
    with pytest.raises(ValueError, match="TwoDomainDigits: its items have attributes, which would be lost"):
        pack(data, tmp_path / "out")
    assert not [*tmp_path.iterdir()]


def test_images_that_are_no_pictures_of_one_size_are_named(tmp_path):
    class Uneven(Bare):
        def __getitems__(self, indices):
            batch = super().__getitems__(indices)
            return {"image": batch["image"][..., : SIDE - (3 in indices)]}

    with pytest.raises(ValueError, match=r"Uneven: image 3 is torch.uint8 \(3, 8, 7\)"):
        pack(Uneven(), tmp_path / "out")

    class Latents(Bare):
        def __getitems__(self, indices):
            return {"latent": torch.zeros(len(indices), 4)}

    with pytest.raises(ValueError, match=r"Latents: its items have no image \(latent\)"):
        pack(Latents(), tmp_path / "latents")


def test_labels_that_fit_no_class_are_refused_before_work(tmp_path):
    class Lying(Bare):
        metainfo = dict(classes=("a", "b"))

    with pytest.raises(ValueError, match=r"Lying: label 2 of image 2 is outside 0\.\.1"):
        pack(Lying("label"), tmp_path / "out")
    assert not [*tmp_path.iterdir()]
