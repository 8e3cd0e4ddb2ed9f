"""model-zoo.md and the records it is written from: up to date, complete, and nothing invented."""

import re
from pathlib import Path

import pytest

from mmcgan.checkpoints.hashing import file_hash
from mmcgan.config import load_config
from mmcgan.weights import read_index
from mmcgan.zoo import Figures, ZooRecord, published_records
from mmcgan.zoo.shipped import shipped_records
from mmcgan.zoo.store import read_records
from tests.tools_of_developers import tool_fixture

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "dev" / "model_zoo.py"


tool = tool_fixture("model_zoo")


@pytest.fixture(scope="module")
def page(tool):
    return tool.page()


@pytest.fixture(scope="module")
def ours():
    return shipped_records()


def test_what_is_committed_is_up_to_date(tool, page):
    assert tool.PAGE.read_text(encoding="utf-8") == page, "run python tools/dev/model_zoo.py"


def test_every_shipped_generator_has_a_record_with_its_own_hash_and_size(ours):
    assert {record.name for record in ours} == set(read_index("generator"))
    for record in ours:
        file = ROOT / record.weights
        assert file_hash(file) == record.sha256, record.name
        assert file.stat().st_size == record.size, record.name
        assert all(figures.measured_by == "us" for figures in record.figures), record.name
        assert record.licence


def test_what_ships_stays_small():
    """A model has 4 MB at most, and the wheel, of which weights cannot be packed further, less than 20 MB."""
    folder = ROOT / "mmcgan" / "weights"
    sizes = {file.name: file.stat().st_size for file in folder.glob("*.safetensors")}
    assert sizes and max(sizes.values()) <= 4_000_000
    assert sum(sizes.values()) <= 18_000_000, "2 MB are left for the code"


def test_every_named_config_is_there(ours):
    for record in [*ours, *published_records().values()]:
        if record.config is not None:
            assert (ROOT / record.config).is_file(), f"{record.name}: {record.config}"


def test_published_figures_are_marked_and_their_origin_is_named():
    for record in published_records().values():
        assert not record.shipped
        for figures in record.figures:
            assert figures.measured_by == "published", record.name
            assert figures.origin, record.name


def test_every_published_model_has_a_link_and_a_command_or_says_why_not(page):
    for record in published_records().values():
        assert record.source.startswith("https://"), record.name
        assert record.weights is None or record.weights.startswith("https://"), record.name
        if record.convertible:
            assert record.conversion in page, record.name
            assert record.conversion.startswith("mmcgan convert "), record.name
        assert f"`{record.name}`" in page


def test_ours_and_theirs_are_in_different_tables(page):
    ours, theirs = page.split("## Published models")
    assert not [name for name in published_records() if f"`{name}`" in ours]
    assert not [name for name in read_index() if f"| [`{name}`]" in theirs]
    assert "*Published*" in theirs and "Measured by us:" not in theirs
    assert "Measured by us:" in ours and "*Published*" not in ours


def test_no_published_name_hides_a_config_or_a_shipped_model():
    configs = {file.stem for file in (ROOT / "configs").glob("*/*.py")}
    assert not set(published_records()) & (configs | set(read_index()))


def test_hashes_of_file_names_are_those_of_the_files():
    """OpenMMLab ends a file's name with the first digits of its SHA-256."""
    named = [record for record in published_records().values() if "openmmlab" in (record.weights or "")]
    assert len(named) > 20
    for record in named:
        assert record.sha256 == re.search(r"-([0-9a-f]{8})\.pth$", record.weights)[1], record.name


def test_the_data_set_of_a_record_is_that_of_its_config():
    sizes = {"CIFAR10": 32, "CIFAR100": 32, "Tiny-ImageNet": 64}
    for record in published_records().values():
        if record.config is not None and record.family != "IC-GAN":
            size = sizes.get(record.dataset) or int(record.dataset.rpartition("x")[2])
            assert record.config.endswith(f"-{size}.py"), record.name
        suffix = record.name.rpartition("_")[2]
        assert record.config is None or record.config.endswith(f"_{suffix}.py"), record.name


@pytest.mark.parametrize("name", ["studiogan-reacgan_cifar10-32", "omni-gan-best-fid_cifar10-32"])
def test_a_config_of_a_record_loads(name):
    assert load_config(ROOT / published_records()[name].config).model.generator.type == "BigGANGenerator"


# --- what a record may say ------------------------------------------------------------------------

FACTS = dict(name="a", family="f", dataset="d", source="https://x.org", paper="https://y.org")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(name="A B"), "a name has lower-case letters"),
        (dict(sha256="12345"), "is not 8 to 64 hex digits"),
        (dict(size=0), "size=0 bytes"),
        (dict(figures=(Figures({"FID": 1.0}, "p", "us"),)), "published ones are mixed"),
    ],
)
def test_impossible_records_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ZooRecord(**{**FACTS, "weights": "https://x.org/a.pth", **changes})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, "p", "us"), "need values"),
        (({"FID": 1.0}, "", "us"), "need values and the protocol"),
        (({"FID": 1.0}, "p", "them"), "choose one of us, published"),
        (({"FID": 1.0}, "p", "published"), "published figures name their origin"),
        (({"FID": 1.0}, "p", "us", "Table 1"), "ours have none"),
        (({"FID": "1.0"}, "p", "us"), "figure 'FID' is '1.0', expected a number"),
    ],
)
def test_impossible_figures_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Figures(*arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1", "expected a list of families"),
        ("- {family: f, source: s}", "models"),
        ("- {family: f, source: s, models: [], licens: MIT}", "unknown key 'licens'. Did you mean 'licence'"),
        ("- {family: f, source: s, models: [{name: a, dataset: d}]}", "zoo record a: paper missing"),
        (
            "- {family: f, source: s, paper: p, models: [{name: a, dataset: d, figures: {x: {FID: 1}}}]}",
            "protocol 'x' is not described",
        ),
        (
            "- {family: f, source: s, paper: p, models: [{name: a, dataset: d}, {name: a, dataset: d}]}",
            "two zoo records are called 'a'",
        ),
    ],
)
def test_mistakes_in_a_file_are_named(text, message, tmp_path):
    file = tmp_path / "bad.yml"
    file.write_text(text)
    with pytest.raises(ValueError, match=rf"bad\.yml: .*{re.escape(message)}"):
        read_records([file])
