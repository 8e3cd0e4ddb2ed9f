"""Every data set of files: one changed image makes another fingerprint, or is refused.

Whatever is computed from images and kept (reference statistics, packs, instance stores) stands under it.
"""

import gzip

import numpy as np
import pytest
from PIL import Image, ImageOps

from mmcgan.registry import DATASETS
from tests.test_contracts.examples.datasets import folders
from tests.test_contracts.test_every_class import EXAMPLES, config, ours

#: sets of sets, with a set of files within
AROUND = {
    "ClassSubset": lambda inner: dict(type="ClassSubset", dataset=inner, keep=[0, 1]),
    "ImbalancedDataset": lambda inner: dict(type="ImbalancedDataset", dataset=inner, ratio=1.5),
}
#: sets whose images are in no file that a user has: drawn by code, in a package, or none at all
WITHOUT_FILES = {
    "AttributeConditionDataset",
    "ConditionDataset",
    "DigitsDataset",
    "DrawnConditionDataset",
    "InstanceConditionDataset",
    "LabelMapConditions",
    "NeighbourhoodDataset",  # its store has the fingerprint of its images, its example's are synthetic
    "Scenes",
    "StackedDigits",
    "SyntheticImages",
    "SyntheticLabelMaps",
    "TwoDomainDigits",
}
#: how the names of files end that hold no images, but lists, facts and maps
OTHER_FILES = (".txt", ".csv", ".json", "meta", "Ids.png")


def made(name, folder, patch):
    """Return the config of a set whose files lie in a folder."""
    if name in AROUND:
        return AROUND[name]({"type": "ImageFolder", **folders(folder, patch)})
    return config(DATASETS, name, folder, patch)


def change(file):
    """Change an image that a file has, in place and with the file's size where its kind allows it."""
    if file.suffix.lower() in (".png", ".jpg", ".jpeg"):
        with Image.open(file) as image:
            found = image.convert("L" if image.mode == "L" else "RGB")
            kind = image.format
        ImageOps.invert(found).save(file, format=kind)
    elif file.suffix == ".gz":
        file.write_bytes(gzip.compress(turned(gzip.decompress(file.read_bytes()), -1)))
    elif file.suffix == ".parquet":
        change_table(file)
    else:
        content = file.read_bytes()
        # pixels of pickles and arrays of MATLAB in the middle, of arrays and idx at the end
        file.write_bytes(turned(content, -1 if file.name.endswith((".npy", "ubyte")) else len(content) // 2))


def turned(content, place):
    changed = bytearray(content)
    changed[place] ^= 0x55
    return bytes(changed)


def change_table(file):
    """Put the second image of a table in the place of the first."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(file)
    images = table["image"].to_pylist()
    images[0] = images[1]
    position = table.schema.get_field_index("image")
    changed = table.set_column(position, table.schema.field("image"), pa.array(images, table["image"].type))
    pq.write_table(changed, file)


def looked_at(given):
    """Return the fingerprint and the images of a set that is opened anew."""
    data = DATASETS.build(given)
    return data.fingerprint(), np.stack([np.asarray(data[row]["image"]) for row in range(min(len(data), 40))])


@pytest.mark.parametrize("name", sorted({*ours(DATASETS)} - WITHOUT_FILES))
def test_one_changed_image_makes_another_fingerprint(name, tmp_path, monkeypatch):
    given = made(name, tmp_path, monkeypatch)
    fingerprint, images = looked_at(given)
    assert looked_at(given)[0] == fingerprint
    files = [file for file in sorted(tmp_path.rglob("*")) if file.is_file() and "cache" not in file.parts]
    for file in files:
        if file.name.endswith(OTHER_FILES):
            continue
        before = file.read_bytes()
        change(file)
        try:
            found, pixels = looked_at(given)
        except ValueError as error:
            assert "checksum" in str(error) or "damaged" in str(error), file
            return
        if not np.array_equal(pixels, images):
            assert found != fingerprint, f"{file.name} is another image, and the fingerprint is the same"
            return
        file.write_bytes(before)
    pytest.fail(f"none of {len(files)} files is an image of {name}")


def test_sets_without_files_are_those_that_are_made_of_settings_alone():
    assert {*ours(DATASETS)} >= WITHOUT_FILES
    own = {name: EXAMPLES[DATASETS].get(name, {}) for name in WITHOUT_FILES}
    assert [name for name, made_of in own.items() if callable(made_of)] == ["NeighbourhoodDataset"]
