"""Files of strangers are read as data: what they hold comes out, what they ask for never runs."""

import argparse
import builtins
import functools
import importlib
import io
import operator
import os
import pickle
import struct
import subprocess
import tarfile
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from mmcgan.checkpoints.files import CheckpointError
from mmcgan.checkpoints.restricted import Record, RefusedError, read_untrusted, state_dict_of

CONTENT = {
    "weights": OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=torch.tensor(3)),
    "view": torch.arange(8).half()[1::2],
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "array": np.arange(6, dtype=">i4").reshape(2, 3),
    "column_order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "scalar": np.float32(3.5),
    "settings": argparse.Namespace(z_dim=8),
    "plain": [1, 2.5, "text", None, True, (1, 2), {3}],
    "dtype": torch.float16,
}


def check_content(read):
    torch.testing.assert_close(read["weights"]["a"], CONTENT["weights"]["a"])
    torch.testing.assert_close(read["view"], torch.tensor([1.0, 3, 5, 7]).half())
    torch.testing.assert_close(read["parameter"], torch.ones(2))
    assert read["array"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["column_order"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["scalar"] == 3.5
    assert read["settings"].state == {"z_dim": 8}
    assert read["plain"] == CONTENT["plain"] and read["dtype"] is torch.float16


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_of_any_age(tmp_path, zipped):
    torch.save(CONTENT, tmp_path / "file.pth", _use_new_zipfile_serialization=zipped)
    check_content(read_untrusted(tmp_path / "file.pth"))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_pickles(tmp_path, protocol):
    (tmp_path / "file.pkl").write_bytes(pickle.dumps(CONTENT, protocol))
    check_content(read_untrusted(tmp_path / "file.pkl"))


class _Reduced:
    """Pickles as a call of a function that the reading side looks up by name."""

    def __init__(self, function, *arguments, state=None):
        self.result = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.result


class _Named:
    """Pickles as the global ``module.name``, which need not exist here."""

    def __init__(self, module, name):
        self.text = f"c{module}\n{name}\n".encode()


def called(module, name, *arguments):
    """A pickle that calls ``module.name`` of the reading side."""
    body = b"".join(pickle.dumps(argument, 2)[2:-1] for argument in arguments)
    return b"\x80\x02" + _Named(module, name).text + b"(" + body + b"tR."


def test_modules_that_carry_their_source_become_records(tmp_path):
    weight = torch.nn.Parameter(torch.ones(2, 3))
    inner = {"class_name": "Layer", "state": {"_parameters": {"weight": weight}, "_modules": {}}}
    child = called("torch_utils.persistence", "_reconstruct_persistent_obj", inner)
    (tmp_path / "layer.pkl").write_bytes(child)
    layer = read_untrusted(tmp_path / "layer.pkl")
    assert isinstance(layer, Record) and layer.class_name == "Layer"
    outer = Record("Network", {"_buffers": {"average": torch.zeros(3)}, "_modules": {"first": layer}})
    assert {k: tuple(v.shape) for k, v in state_dict_of(outer).items()} == {
        "average": (3,),
        "first.weight": (2, 3),
    }
    with pytest.raises(CheckpointError, match="not a module with weights"):
        state_dict_of(Record("settings", {"z_dim": 8}))


def hostile_layers(touch):
    """Return name -> bytes of pickles that would run ``touch``, or a layer, by what stands in for layers."""
    layer, made = b"\x80\x02ctorch.nn.modules.linear\nLinear\n", b")\x81"
    text = b"X\x01\x00\x00\x00a"
    system = b"cposix\nsystem\n"
    holder = torch.nn.Linear(1, 1)
    holder.extra = _Reduced(os.system, touch)
    return {
        "layer called": layer + b"K\x01K\x01\x86R.",
        "layer made with keywords": b"\x80\x04ctorch.nn.modules.linear\nLinear\n)}\x92.",
        "layer of the old kind (OBJ)": b"\x80\x02(ctorch.nn.modules.linear\nLinear\no.",
        "layer of the old kind (INST)": b"(itorch.nn.modules.linear\nLinear\n.",
        "made layer called": layer + made + b")R.",
        "class of layers as a value": layer + b".",
        "class of layers in a dict": b"\x80\x02}" + text + layer[2:] + b"s.",
        "attributes of a class of layers": layer + b"}" + text + text + b"sb.",
        "items of a class of layers": layer + text + text + b"s.",
        "attributes in slots": layer + made + b"N}" + text + text + b"s\x86b.",
        "function as an attribute": layer + made + b"}" + text + system + b"sb.",
        "call in an attribute": pickle.dumps(holder),
        "function behind a package of layers": b"\x80\x04\x8c\x04timm\x8c\x09os.system\x93.",
        "function of a package of layers": called("timm.models", "load_checkpoint", touch),
        "persistent id of layers": layer + made + b"Q.",
        "class of a peer's layers called": called("training.networks", "Generator", touch),
        "layer in itself": layer + made + b"q\x00}X\x08\x00\x00\x00_modules}" + text + b"h\x00ssb.",
    }


def hostile_pickles(mark):
    """Return name -> bytes of pickles that would make the file ``mark`` if anything ran."""
    touch = f"touch {mark}"
    source = f"open({str(mark)!r}, 'w')"
    hooks = torch.nn.Linear(1, 1)
    hooks._forward_hooks[0] = _Reduced(os.system, touch)
    objects = np.array([_Reduced(os.system, touch)], dtype=object)
    inner = pickle.dumps(_Reduced(os.system, touch))
    attributes = b"}(X\x08\x00\x00\x00__init__cposix\nsystem\nub."
    build = b"\x80\x02ccollections\nOrderedDict\n" + attributes
    return {
        **hostile_layers(touch),
        "os.system": pickle.dumps(_Reduced(os.system, touch)),
        "subprocess": pickle.dumps(_Reduced(subprocess.Popen, ["touch", str(mark)])),
        "eval": pickle.dumps(_Reduced(builtins.eval, source)),
        "exec": pickle.dumps(_Reduced(builtins.exec, source)),
        "open": pickle.dumps(_Reduced(builtins.open, str(mark), "w")),
        "getattr": pickle.dumps(
            _Reduced(builtins.getattr, _Reduced(importlib.import_module, "os"), "system")
        ),
        "import": pickle.dumps(_Reduced(builtins.__import__, "os")),
        "partial": pickle.dumps(_Reduced(functools.partial, os.system, touch)),
        "attrgetter": pickle.dumps(_Reduced(operator.attrgetter("system"), os.__name__)),
        "methodcaller": pickle.dumps(_Reduced(operator.methodcaller, "system", touch)),
        "map": pickle.dumps(_Reduced(list, [_Reduced(map, os.system, [touch])])),
        "old class (INST)": b"(S'" + touch.encode() + b"'\nios\nsystem\n.",
        "old class (OBJ)": b"(cos\nsystem\nS'" + touch.encode() + b"'\no.",
        "dotted name": b"\x80\x04\x8c\x05torch\x94\x8c\x13serialization.os.\x94\x93.",
        "dotted global": called("collections", "OrderedDict.__init__.__globals__", 1),
        "torch.load": called("torch.serialization", "load", str(mark)),
        "torch.hub": called("torch.hub", "load", "user/repo", "model"),
        "torch.ops": called("torch", "ops.load_library", str(mark)),
        "torch hooks": pickle.dumps(hooks),
        "parameter hooks": called("torch._utils", "_rebuild_parameter", 1, False, OrderedDict()),
        "numpy objects": pickle.dumps(objects, 4),
        "numpy runstring": called("numpy.testing._private.utils", "runstring", source, {}),
        "nested file": called("torch.storage", "_load_from_bytes", inner),
        "copyreg": called("copyreg", "_reconstructor", 1, 2, 3),
        "extension": b"\x80\x02\x82\x01.",
        "set attributes of a class": build,
        "call of data": b"\x80\x02X\x04\x00\x00\x00text)R.",
        "call of a method": b"\x80\x02c__builtin__\nset\n)R(X\x01\x00\x00\x00atR.",
        "codecs": called("_codecs", "encode", "text", "rot13"),
        "reference outside": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "persistent source": called("torch_utils.persistence", "_reconstruct_persistent_obj", source),
    }


NAMES = sorted(hostile_pickles("mark"))


def test_enough_gadgets():
    assert len(NAMES) >= 15


@pytest.mark.parametrize("name", NAMES)
def test_hostile_pickle_runs_nothing(tmp_path, name):
    mark = tmp_path / "mark"
    (tmp_path / "file.pkl").write_bytes(hostile_pickles(mark)[name])
    with pytest.raises(CheckpointError, match=r"file\.pkl"):
        read_untrusted(tmp_path / "file.pkl")
    assert not mark.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_hostile_call_inside_a_torch_file(tmp_path, zipped):
    mark = tmp_path / "mark"
    content = {"state_dict": {}, "extra": _Reduced(os.system, f"touch {mark}")}
    torch.save(content, tmp_path / "file.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(RefusedError, match="system, which is not data"):
        read_untrusted(tmp_path / "file.pth")
    assert not mark.exists()


def _rewritten(path, change):
    """Return the torch file's members after ``change(name, content)``."""
    with zipfile.ZipFile(path) as archive:
        return [(name, change(name, archive.read(name))) for name in archive.namelist()]


def _archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)


@pytest.fixture
def weights(tmp_path):
    torch.save({"a": torch.zeros(4)}, tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


def test_unpacking_bomb_is_refused(weights):
    members = _rewritten(weights, lambda name, content: content)
    _archive(weights, [*members, ("weights/data/9", bytes(10**7))], zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        read_untrusted(weights)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(weights):
    members = _rewritten(weights, lambda name, content: content)
    _archive(weights, [*members, members[0]])
    with pytest.raises(CheckpointError, match="two members"):
        read_untrusted(weights)


def test_program_is_refused(weights):
    members = _rewritten(weights, lambda name, content: content)
    _archive(weights, [*members, ("weights/code/net.py", b"import os")])
    with pytest.raises(CheckpointError, match="program"):
        read_untrusted(weights)


def test_tensor_larger_than_its_data_is_refused(weights):
    # K\x04 are the four values of the storage and of the tensor
    members = _rewritten(
        weights,
        lambda name, content: content.replace(b"K\x04", b"J\x00\x00\x00\x40") if "pkl" in name else content,
    )
    _archive(weights, members)
    with pytest.raises(RefusedError, match="more than there are"):
        read_untrusted(weights)


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [((5,), (1,), 0), ((2, 2), (4, 1), 0), ((4,), (1,), 1), ((10**12,), (0,), 0), ((-1,), (1,), 0)],
)
def test_tensor_outside_its_storage_is_refused(tmp_path, size, stride, offset):
    class Outside:
        def __reduce__(self):
            storage = torch.zeros(4).untyped_storage()
            typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
            return torch._utils._rebuild_tensor_v2, (typed, offset, size, stride, False, OrderedDict())

    torch.save({"a": Outside()}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match="builds a tensor"):
        read_untrusted(tmp_path / "file.pth")


def test_tar_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "old.pth", "w") as archive:
        archive.addfile(tarfile.TarInfo("../storages"), io.BytesIO())
    with pytest.raises(RefusedError, match="tar archive"):
        read_untrusted(tmp_path / "old.pth")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        b"PK\x03\x04 cut",
        pickle.dumps({"a": 1})[:-3],
        b"\x80\x05\x96" + struct.pack("<Q", 2**33) + b"short.",
        b"\x80\x02" + b"(" * 10,
        b"\x80\x02h\x05.",
    ],
)
def test_damaged_files_name_the_file(tmp_path, content):
    (tmp_path / "file.pkl").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"file\.pkl"):
        read_untrusted(tmp_path / "file.pkl")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.pkl"):
        read_untrusted(tmp_path / "absent.pkl")
