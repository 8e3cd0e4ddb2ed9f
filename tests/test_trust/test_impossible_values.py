"""Values that cannot be right are refused by name: figures that are none, places where nothing is."""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmcgan.array_files import ArrayFileError
from mmcgan.checkpoints.hashing import file_hash
from mmcgan.instances.store import InstanceStore, StoreError
from mmcgan.origin import RefusedConfigError
from mmcgan.zoo.discriminators import load_discriminator
from mmcgan.zoo.models import export_weights, load_model
from mmcgan.zoo.record import Figures
from mmcgan.zoo.reported_figures import reported_figures
from tests.test_trust import hostile
from tests.test_trust.hostile_sizes import ARRAYS, SAID

NOT_FINITE = [math.nan, math.inf, -math.inf, 10**400, -(10**400)]
NO_COUNTS = [*NOT_FINITE, -1, 0.5, True, "5", None, [5], 1 << 60]


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_figure_of_a_record_is_finite(value, tmp_path):
    path = hostile.write_exported(
        tmp_path / "a.safetensors", hostile.record(metrics=dict(recall=0.5, FID=value))
    )
    with pytest.raises(RefusedConfigError, match=r"a\.safetensors: metrics\.FID is .*, no finite number"):
        load_model(path)


@pytest.mark.parametrize("value", NO_COUNTS)
@pytest.mark.parametrize("key", ["iteration", "images_seen"])
def test_the_length_of_a_training_is_a_whole_number(key, value, tmp_path):
    refused = rf"a\.\w+: {key} is .*; both must be numbers, whole and not negative"
    path = hostile.write_exported(tmp_path / "a.safetensors", hostile.record(**{key: value}))
    with pytest.raises(RefusedConfigError, match=refused):
        load_model(path)
    record = dict(discriminator=dict(type="x"), dataset={}, **{key: value})
    form = {"format": "mmcgan-discriminator-1", "record": json.dumps(record)}
    save_file({"a.b": torch.ones(2)}, tmp_path / "a.safetensors", form)
    with pytest.raises(RefusedConfigError, match=refused):
        load_discriminator(tmp_path / "a.safetensors")
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    path = hostile.write_run(tmp_path / "a.pth", model, **{{"iteration": "iter"}.get(key, key): value})
    with pytest.raises(RefusedConfigError, match=refused):
        load_model(path)


@pytest.mark.parametrize("value", [0, 7, 7.0, (1 << 60) - 1])
def test_lengths_of_trainings_are_read(value, tmp_path):
    record = hostile.record(iteration=value, images_seen=value, metrics=dict(KID=-1e-5, FID=0))
    found = load_model(hostile.write_exported(tmp_path / "a.safetensors", record)).record
    assert found.iteration == found.images_seen == value and isinstance(found.iteration, int)
    assert found.metrics == dict(KID=-1e-5, FID=0)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_an_evaluation_without_result_is_not_exported(value, tmp_path):
    path = hostile.write_run(
        tmp_path / "a.pth", dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    )
    content = torch.load(path, weights_only=True)
    scalars = {"val/fid": dict(values=[3.0, value]), "val/recall": dict(values=[0.5])}
    torch.save({**content, "message_hub": dict(scalars=scalars)}, path)
    export_weights(path, tmp_path / "out.safetensors")
    index = json.loads((tmp_path / "index.json").read_text(), parse_constant=pytest.fail)
    assert (
        index["out"]["metrics"] == load_model(tmp_path / "out.safetensors").record.metrics == dict(recall=0.5)
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400])
def test_a_figure_of_a_report_is_finite(value, tmp_path):
    (tmp_path / "a.pth").write_bytes(b"weights")
    entry = dict(truncation=None, summary=dict(fid=dict(mean=value)))
    report = dict(checkpoint_sha256=file_hash(tmp_path / "a.pth"), sweep=[entry])
    (tmp_path / "report.json").write_text(json.dumps(report))
    with pytest.raises(ValueError, match=r"report\.json: not a report"):
        reported_figures(tmp_path / "report.json", tmp_path / "a.pth", None)


@pytest.mark.parametrize("value", [math.nan, math.inf, True])
def test_a_figure_of_the_zoo_is_finite(value):
    with pytest.raises(ValueError, match="figure 'FID' is"):
        Figures({"FID": value}, "some protocol", "us")


def store(folder, **changes):
    """Return an instance store of six images with other arrays."""
    folder.mkdir()
    said = {**SAID, "files": {}}
    for name, array in {**ARRAYS, **changes}.items():
        np.save(folder / f"{name}.npy", array)
        said["files"][f"{name}.npy"] = dict(bytes=(folder / f"{name}.npy").stat().st_size)
    (folder / "metadata.json").write_text(json.dumps(said))
    return InstanceStore(folder)


def near(first, kind="i4"):
    """Return a table of neighbours that begins with ``first``."""
    table = ARRAYS["neighbours"].astype(kind)
    table[0, 0] = first
    return table


TABLES = {
    "neighbours": [near(-1), near(6), near(2**31 - 1), near(-1, "i8"), near(2**63, "u8"), near(0.5, "f4")],
    "labels": [np.arange(6) % 3 - 1, np.arange(6), np.full(6, 2**63, "u8"), np.full(6, 0.5)],
    "selected": [np.array([-1]), np.array([6]), np.array([0.5])],
    "class_order": [np.arange(6) - 1, np.arange(6) + 1, np.arange(6.0)],
    "class_starts": [
        np.array(x) for x in ([1, 2, 4, 6], [0, 2, 4, 5], [0, 4, 2, 6], [0, 2, 4, 7], [-1, 2, 4, 6])
    ],
    "features": [np.full((6, 4), math.nan, "f4"), np.full((6, 4), math.inf, "f4"), np.ones((6, 4), "i4")],
}  # fmt: skip
CASES = [(name, number) for name, tables in TABLES.items() for number in range(len(tables))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_tables_of_a_store_lead_to_something(name, number, tmp_path):
    with pytest.raises((StoreError, ArrayFileError), match=rf"{name}\.npy: "):
        found = store(tmp_path / "store", **{name: TABLES[name][number]})
        found.features(torch.arange(6)), found.selected(), found.class_rows()


def test_neighbours_are_looked_at_to_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr("mmcgan.instances.arrays.LOOKED_AT", 4)  # two rows at once
    for row in range(6):
        table = ARRAYS["neighbours"].copy()
        table[row, 1] = 6
        with pytest.raises(StoreError, match=r"neighbours\.npy: entries from 1 to 6, possible are 0 to 5"):
            store(tmp_path / str(row), neighbours=table)


@pytest.mark.parametrize("kind", ["i8", "u2", "u8", ">i4", "i1"])
def test_tables_of_whole_numbers_are_read_whatever_their_width(kind, tmp_path):
    names = ("neighbours", "labels", "selected", "class_order", "class_starts")
    found = store(tmp_path / "store", **{name: np.asarray(ARRAYS[name]).astype(kind) for name in names})
    assert found.neighbours(torch.arange(6)).tolist() == ARRAYS["neighbours"].tolist()
    assert found.class_rows()[1].tolist() == ARRAYS["class_starts"].tolist()


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4"])
def test_features_are_float32_whatever_the_file_has(kind, tmp_path):
    found = store(tmp_path / "store", features=np.ones((6, 4), kind)).features(torch.arange(2))
    assert found.dtype is torch.float32 and found.tolist() == [[1.0] * 4] * 2
