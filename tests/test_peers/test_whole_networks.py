"""Files that hold whole networks: layers come out as names and tensors, and nothing of them is run."""

import pickle
import sys
import types

import pytest
import torch
from torch import nn

from mmcgan.checkpoints.restricted import read_untrusted, state_dict_of
from mmcgan.checkpoints.stand_ins import RefusedError
from mmcgan.peers import PEERS
from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.peers.translation import build_network
from tests.test_peers.variants import VARIANTS

ROLES = {"generator": "G_ema", "discriminator": "D"}


def of_torch():
    """Return a network of torch's own layers, two of them with the older spectral norm."""
    torch.manual_seed(0)
    first = nn.utils.spectral_norm(nn.Conv2d(3, 4, 3))
    second = nn.utils.spectral_norm(nn.Linear(4, 2))
    layers = nn.ModuleDict({"a": nn.Sequential(first, nn.BatchNorm2d(4), nn.ReLU6()), "b": second})
    return nn.Sequential(layers, nn.ModuleList([nn.LeakyReLU(0.2), nn.Embedding(3, 2)]))


@pytest.mark.parametrize("save", ["pickle", "torch"])
def test_layers_of_torch_are_read_as_their_tensors(tmp_path, save):
    network, path = of_torch(), tmp_path / "network.pkl"
    if save == "pickle":
        path.write_bytes(pickle.dumps({"D": network}))
    else:
        torch.save({"D": network}, path)
    found, expected = state_dict_of(read_untrusted(path)["D"]), network.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


@pytest.fixture
def peer():
    """Modules that are called as R3GAN's are while a file is written, and are gone when it is read."""
    node = type("Node", (nn.Module,), {"__module__": "R3GAN.Networks", "__qualname__": "Node"})

    def _reconstruct_persistent_obj(meta):
        raise AssertionError("a file was run")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"

    class Persistent(nn.Module):
        def __reduce__(self):
            meta = dict(
                type="class", version=6, module_src="raise SystemExit", class_name="X", state=vars(self)
            )
            return _reconstruct_persistent_obj, (meta,)

    made = {name: types.ModuleType(name) for name in ("R3GAN", "R3GAN.Networks", "torch_utils")}
    made["torch_utils.persistence"] = types.ModuleType("torch_utils.persistence")
    made["R3GAN.Networks"].Node = node
    made["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj
    with pytest.MonkeyPatch.context() as patch:
        for name, module in made.items():
            patch.setitem(sys.modules, name, module)
        yield node, Persistent


def tree(node, state):
    """Return a network of nested modules with these tensors."""
    root = node()
    for key, value in state.items():
        *path, last = key.split(".")
        place = root
        for name in path:
            if name not in place._modules:
                place.add_module(name, node())
            place = place._modules[name]
        place.register_parameter(last, nn.Parameter(value.clone()))
    return root


def test_snapshots_of_r3gan_are_read_both_players_and_say_which_they_are(tmp_path, peer):
    node, persistent = peer
    form, networks = PEERS["r3gan"], {}
    content = {"G": None, "augment_pipe": None, "training_set_kwargs": {"path": "x"}}
    for role, name in ROLES.items():
        spec = next(spec for spec in VARIANTS["r3gan"] if form.role_of(spec) == role)
        torch.manual_seed(0)
        networks[role] = build_network(role, form.read(spec))
        whole = persistent()
        # as the peer's wrappers keep them; a size is in the files of other peers too
        whole._init_kwargs = dict(spec["constructor_kwargs"], c_dim=0, img_resolution=32)
        state = form.back_state(networks[role].state_dict(), role, {})
        whole.add_module("Model", tree(node, {k.removeprefix("Model."): v for k, v in state.items()}))
        content[name] = whole
    path = tmp_path / "network-snapshot-000001.pkl"
    path.write_bytes(pickle.dumps(content))
    for name in ("R3GAN", "R3GAN.Networks", "torch_utils", "torch_utils.persistence"):
        del sys.modules[name]
    found = inspect_checkpoint(path)
    for fit, role in ((found.generator, "generator"), (found.discriminator, "discriminator")):
        assert (fit.format.name, fit.complete) == ("r3gan", True)
        own, expected = fit.build().state_dict(), networks[role].state_dict()
        assert own.keys() == expected.keys() and all(torch.equal(own[key], expected[key]) for key in own)


class Called:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("function", [nn.Linear, nn.Sequential, nn.utils.spectral_norm])
def test_layers_are_never_called(tmp_path, function):
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps({"D": Called(function, 2, 2)}))
    with pytest.raises(RefusedError, match="it calls"):
        read_untrusted(path)


def test_what_is_called_almost_as_a_package_of_layers_is_refused(tmp_path):
    for name in (b"timmy", b"torch.nn.modulesx", b"R3GANS.x", b"torch.nn.functional"):
        path = tmp_path / "network.pkl"
        path.write_bytes(b"\x80\x02c" + name + b"\nThing\n)\x81.")
        with pytest.raises(RefusedError, match=r"which is not data"):
            read_untrusted(path)
