"""Files that hold whole networks: layers come out as names and tensors, and nothing of them is run."""

import itertools
import pickle
import sys
import types

import pytest
import torch
from torch import nn

from mmcgan.checkpoints.restricted import read_untrusted, state_dict_of
from mmcgan.checkpoints.stand_ins import RefusedError
from mmcgan.peers import PEERS
from mmcgan.peers.reading.convert import Options, inspect_checkpoint
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


class Peer:
    """Classes that are called as a peer's are while a file is written, and are gone when it is read."""

    def __init__(self):
        self.made = {}

    def layer(self, module, name):
        """Return the class ``module.name`` of layers, in a module that can be imported for now."""
        there = self.made.setdefault(module, types.ModuleType(module))
        if not hasattr(there, name):
            setattr(there, name, type(name, (nn.Module,), {"__module__": module, "__qualname__": name}))
        return getattr(there, name)

    def persistent(self, wrapper):
        """Return the class as StyleGAN's ``persistence`` stores it: its source comes with it."""
        rebuild = self.layer("torch_utils.persistence", "_reconstruct_persistent_obj")

        def reduced(self):
            meta = dict(
                type="class", version=6, module_src="raise SystemExit", class_name="X", state=vars(self)
            )
            return rebuild, (meta,)

        return type("Persistent", (wrapper,), {"__reduce__": reduced})

    def write(self, path, content):
        """Pickle with these modules in place, and take them away."""
        parents = {
            part for name in self.made for part in itertools.accumulate(name.split("."), "{}.{}".format)
        }
        around = {name: types.ModuleType(name) for name in parents if name not in sys.modules}
        with pytest.MonkeyPatch.context() as patch:
            for name, module in (around | self.made).items():
                patch.setitem(sys.modules, name, module)
            path.write_bytes(pickle.dumps(content))
        assert not any(sys.modules.get(name) is module for name, module in self.made.items())


def tree(root, node, state):
    """Return ``root`` filled with nested modules of the class ``node`` that hold these tensors."""
    for key, value in state.items():
        *path, last = key.split(".")
        place = root
        for name in path:
            if name not in place._modules:
                place.add_module(name, node())
            place = place._modules[name]
        place.register_buffer(last, value.clone())
    return root


def ours(form, role):
    """Return a network of ours, its description and its tensors under the peer's names."""
    spec = next(spec for spec in VARIANTS[form.name] if form.role_of(spec) == role)
    config = form.read(spec)
    torch.manual_seed(0)
    network = build_network(role, config)
    state = form.back_state(network.state_dict(), role, form.writing.facts(config))
    return network, spec, state | form.writing.extras(state, network)


def check_read(path, expected, **settings):
    """Compare both players of a file with (format, network) of each."""
    found = inspect_checkpoint(path, Options(settings=settings))
    for fit, (name, network) in zip((found.generator, found.discriminator), expected, strict=True):
        assert (fit.format.name, fit.complete) == (name, True)
        own, known = fit.build().state_dict(), network.state_dict()
        assert own.keys() == known.keys() and all(torch.equal(own[key], known[key]) for key in own)


@pytest.mark.parametrize("carried", [False, True], ids=["plain wrappers", "wrappers with their source"])
def test_snapshots_of_r3gan_are_read_both_players_and_say_which_they_are(tmp_path, carried):
    peer, networks = Peer(), []
    content = {"G": None, "training_set_kwargs": {"path": "x"}, "cur_nimg": 4}
    content["D_opt_state"] = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1e-4}]}
    for role, name in ROLES.items():
        network, spec, state = ours(PEERS["r3gan"], role)
        wrapper = peer.layer("training.networks", role.capitalize())
        whole = (peer.persistent(wrapper) if carried else wrapper)()
        if carried:  # a size is in the files of other peers too
            whole._init_kwargs = dict(spec["constructor_kwargs"], c_dim=0, img_resolution=32)
        node = peer.layer("R3GAN.Networks", "Layer")
        whole.add_module("Model", tree(node(), node, {k.removeprefix("Model."): v for k, v in state.items()}))
        whole.Model.MainLayers._modules["0"].DataType = torch.bfloat16
        content[name] = whole
        networks.append(("r3gan", network))
    peer.write(tmp_path / "network-snapshot-000001.pkl", content)
    check_read(tmp_path / "network-snapshot-000001.pkl", networks)


def test_snapshots_of_projected_gan_are_read_both_players(tmp_path):
    peer, networks = Peer(), []
    places = {
        "generator": ("projected_gan_fastgan", "pg_modules.networks_fastgan", "Generator"),
        "discriminator": (
            "projected_gan_discriminator",
            "pg_modules.discriminator",
            "ProjectedDiscriminator",
        ),
    }
    content = {"training_set_kwargs": {"path": "x"}, "progress": {"cur_nimg": torch.tensor([4])}}
    for role, (form, module, name) in places.items():
        network, _, state = ours(PEERS[form], role)
        content[ROLES[role]] = tree(
            peer.layer(module, name)(), peer.layer("timm.models.efficientnet_blocks", "Block"), state
        )
        networks.append((form, network))
    # what the mixing adds with, where torch has had it and where it has it now
    old = peer.layer("torch.nn.quantized.modules.functional_modules", "FloatFunctional")
    for name, kind in (("old", old), ("new", nn.quantized.FloatFunctional)):
        content["D"].feature_network.scratch.add_module(name, kind())
    content["G"] = content["G_ema"]
    peer.write(tmp_path / "best_model.pkl", content)
    # a size that no weight shows, as the frozen network sees all images at one; and its weights in tests
    place, frozen = "discriminator.backbone", dict(type="EfficientNetLite0", pretrained=False)
    settings = {f"{place}.image_size": 128, f"{place}.extractor": frozen}
    check_read(tmp_path / "best_model.pkl", networks, **settings)


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
