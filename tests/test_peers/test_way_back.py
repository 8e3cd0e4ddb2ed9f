"""Every recorded network of every peer comes to us and goes back: settings, names and values, bit by bit."""

import json
from functools import cache

import pytest
import torch

from mmcgan.peers import PEERS
from mmcgan.peers.writing.export import NotCarried, export_network
from tests.test_peers.golden_files import cases_by_format, is_narrowed, used

WRITTEN = [name for name, form in PEERS.items() if form.writing is not None]


@cache
def recorded():
    """Return the golden networks of the formats that are written, by format."""
    return {name: cases for name, cases in cases_by_format(("network",)).items() if name in WRITTEN}


def plain(settings):
    """Return settings as a file has them."""
    return json.loads(json.dumps(settings))


def described(case):
    """Return the peer's settings, with the shapes of its weights where a recorded network is narrower."""
    shapes = {f"state/{key}": {"shape": list(value.shape)} for key, value in case.state().items()}
    return {**case.spec, "tensors": shapes}


def without_prefix(state):
    """Return a state dict without the prefix of a wrapper, which is read and not written."""
    return {key.removeprefix("Model."): value for key, value in state.items()}


# every third case goes there and back in test_golden in each run
@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
def test_recorded_networks_go_back(name):
    cases = [case for case in recorded().get(name, []) if not is_narrowed(case)]
    if not cases:
        pytest.skip(f"no golden network of {name}")
    form = PEERS[name]
    for case in cases:
        role, config = form.role_of(case.spec), plain(form.read(described(case)))
        ours = form.network(case.spec, case.state()).module.state_dict()
        back = export_network(form.peer, role, config, ours)
        assert back.format == name
        theirs = without_prefix(case.state())
        if name == "ic_gan_biggan" and "crossreplica" in case.path.name:
            continue  # written with the peer's other batch norm, which computes the same
        assert back.state.keys() == theirs.keys(), case.path.name
        assert all(torch.equal(back.state[key], theirs[key]) for key in used(name, theirs)), case.path.name

        again = plain(form.read(plain(back.spec)))
        network = form.build(back.spec)
        once_more = plain(form.writing.describe(role, again, network))
        assert once_more == plain(back.spec), case.path.name


@pytest.mark.parametrize("name", WRITTEN)
def test_narrowed_networks_are_refused_and_their_names_go_back(name):
    cases = [case for case in recorded().get(name, []) if is_narrowed(case)]
    if not cases:
        pytest.skip(f"no narrowed network of {name}")
    form = PEERS[name]
    for case in cases:
        role, config = form.role_of(case.spec), plain(form.read(described(case)))
        network = form.network(case.spec, case.state()).module
        with pytest.raises(NotCarried, match=f"{name} cannot hold this network: (its channels|other shapes)"):
            export_network(form.peer, role, config, network.state_dict())
        names = form.back_state(network.state_dict(), role, form.writing.facts(config))
        back = names | form.writing.extras(names, network)
        assert back.keys() == case.state().keys()
        assert all(torch.equal(back[key], value) for key, value in case.state().items())
