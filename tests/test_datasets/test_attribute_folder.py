"""Attributes of image files from tables of four formats, and what is said of mistakes in them."""

import json

import numpy as np
import pytest
from PIL import Image

from mmcgan.datasets import AttributeFolder
from mmcgan.datasets.attributes.attribute_table import read_attribute_table

CSV = """file,hair,Smiling,Hat
a.png,black,1,-1
b.png,blond,0,1
sub/c.png,black,1,1
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    for number, name in enumerate(("a.png", "b.png", "sub/c.png")):
        Image.fromarray(np.full((8, 8, 3), 80 * number, np.uint8)).save(tmp_path / name)
    return tmp_path


def table(folder, text, name="table.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


def labels(read):
    return [read.groups.label(row) for row in read.attributes]


def test_columns_become_groups(folder):
    data = AttributeFolder(str(folder), table(folder, CSV), 8)
    assert data.metainfo["attributes"] == {
        "hair": ["black", "blond"],
        "attributes": {"any_of": ["Smiling", "Hat"]},
    }
    batch = data.__getitems__([2, 0])
    assert batch["attributes"].tolist() == [[1, 1, 1, 0], [1, 0, 1, 0]]
    assert batch["image"][:, 0, 0, 0].tolist() == [160, 0]
    facts = AttributeFolder.facts(str(folder), str(folder / "table.csv"), 8)
    assert facts["num_attributes"] == 4 and len(facts["attribute_counts"]) == 3


def test_groups_say_names_order_and_which_switches_exclude_each_other(folder):
    text = "file,Black_Hair,Blond_Hair,Smiling\na.png,1,-1,1\nb.png,-1,1,-1\n"
    spec = {"hair": ["Blond_Hair", "Black_Hair"], "mood": {"any_of": ["Smiling"]}}
    read = read_attribute_table(table(folder, text), spec)
    assert labels(read) == ["hair=Black_Hair mood=Smiling", "hair=Blond_Hair mood="]
    # a name that no row has is known all the same
    named = read_attribute_table(table(folder, CSV), {"hair": ["gray", "blond", "black"]})
    assert named.attributes.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 1]]


def test_all_formats_say_the_same(folder):
    celeba = "3\nSmiling Hat\na.png 1 -1\nb.png -1  1\nsub/c.png 1 1\n"
    entries = {
        "a.png": dict(Smiling=1, Hat=0),
        "b.png": dict(Smiling=0, Hat=1),
        "sub/c.png": dict(Smiling=1, Hat=1),
    }
    listed = [{"file": name, **values} for name, values in entries.items()]
    texts = {
        "t.csv": "name,Smiling,Hat\na.png,1,0\nb.png,0,1\nsub/c.png,1,1\n",
        "t.tsv": "name\tSmiling\tHat\na.png\ttrue\tfalse\nb.png\tno\tyes\nsub/c.png\tyes\ttrue\n",
        "t.json": json.dumps(entries),
        "list.json": json.dumps(listed),
        "list_attr_celeba.txt": celeba,
    }
    reads = [read_attribute_table(table(folder, text, name)) for name, text in texts.items()]
    for read in reads:
        assert read.files == ["a.png", "b.png", "sub/c.png"]
        assert read.attributes.tolist() == [[1, 0], [0, 1], [1, 1]]
        assert read.groups == reads[0].groups


def test_json_lists_are_free_groups(folder):
    entries = {"a.png": {"traits": ["hat", "smile"], "age": 7}, "b.png": {"traits": [], "age": 12}}
    read = read_attribute_table(table(folder, json.dumps(entries), "t.json"))
    assert labels(read) == ["age=7 traits=hat+smile", "age=12 traits="]
    assert read.groups.to_config() == {"traits": {"any_of": ["hat", "smile"]}, "age": ["7", "12"]}


def test_split_and_left_out_rows(folder):
    text = "file,split,hair\na.png,train,black\nb.png,test,blond\nsub/c.png,train,blond\n"
    path = table(folder, text)
    data = AttributeFolder(str(folder), path, 8, split="train")
    assert len(data) == 2 and data.split == "train"
    fewer = AttributeFolder(str(folder), path, 8, leave_out=[dict(hair="black")])
    assert [fewer.path_of(i)[-5:] for i in range(len(fewer))] == ["b.png", "c.png"]
    with pytest.raises(ValueError, match=r"table\.csv: column 'split' has no 'val'; it has: test, train"):
        AttributeFolder(str(folder), path, 8, split="val")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1 must name the file column"),
        ("file,a,a\n", "row 1 must name"),
        ("file,hair\n", "no rows"),
        ("file,hair\na.png,black\nb.png\n", "row 3 has 1 values, the header 2 columns"),
        ("file,hair\na.png,black\nb.png,\n", "row 3, column 'hair': empty"),
        ("file,hair\na.png,black\nb.png,blond\na.png,blond\n", r"row 4: 'a.png' is there already, in row 2"),
        ("file,hair\na.png,black\nb.png,black\n", "column 'hair' says 'black' in every row"),
    ],
)
def test_mistakes_in_a_table_name_file_row_and_column(folder, text, message):
    with pytest.raises(ValueError, match=rf"table\.csv: .*{message}"):
        read_attribute_table(table(folder, text))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"hair": ["black", "brown"]}, r"row 3, column 'hair': 'blond' is not in the group"),
        ({"Hair": ["black", "blond"]}, r"no column 'black' for attribute group 'Hair'"),
        (
            {"face": ["Smiling", "Hat"]},
            r"row 4: group 'face' needs exactly one of Smiling, Hat; has Smiling, Hat",
        ),
        ({"face": {"any_of": ["hair", "Hat"]}}, r"row 2, column 'hair': 'black' is neither on .* nor off"),
        ({"face": {"any_of": ["Smilling"]}}, "no column 'Smilling' .*Did you mean 'Smiling'"),
    ],
)
def test_groups_that_do_not_fit_the_table(folder, groups, message):
    with pytest.raises(ValueError, match=rf"table\.csv: {message}"):
        read_attribute_table(table(folder, CSV), groups)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.json", "{", "no JSON"),
        ("t.json", "3", "must be a list of objects"),
        ("t.json", '[{"a": 1}]', "entry 0, column 'file': the name of a file is missing"),
        (
            "t.json",
            '[{"file": "a.png", "x": null}]',
            "entry 0, column 'x': must be a text, a number or a list",
        ),
        ("t.json", '[{"file": "a.png", "x": "1"}, {"file": "b.png"}]', "entry 1 has no column 'x'"),
        ("t.txt", "a b c", "row 1 must be the number of images"),
        ("t.txt", "1\na b\nx.png 1\n", "row 3 has 2 values, the header 3 columns"),
        ("t.xls", "", "a table of attributes is one of .csv, .tsv, .json, .txt"),
    ],
)
def test_mistakes_in_other_formats(folder, name, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_attribute_table(table(folder, text, name))
    assert name in str(caught.value)


def test_missing_files(folder):
    with pytest.raises(FileNotFoundError, match="no table of attributes"):
        AttributeFolder.facts(str(folder), str(folder / "none.csv"), 8)
    path = table(folder, CSV + "d.png,black,1,1\n")
    with pytest.raises(FileNotFoundError, match=r"table\.csv: 'd\.png' is not under .* \(1 of 4 images\)"):
        AttributeFolder(str(folder), path, 8)
