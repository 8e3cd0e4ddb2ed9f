"""Every peer, walked: settings and files there and back, and what is said of broken ones."""

import json
import re

import pytest
import torch

from mmcgan.peers import DISCRIMINATOR, GENERATOR, PEERS
from mmcgan.peers.reading.convert import inspect_checkpoint
from mmcgan.peers.reading.resolving import ConversionError
from mmcgan.peers.translation import Exported
from mmcgan.peers.translation.registry import readable_formats
from mmcgan.peers.writing.export import export_network, write_files
from mmcgan.peers.writing.probing import probe
from tests.test_peers.golden_files import used
from tests.test_peers.networks import weights
from tests.test_peers.variants import VARIANTS

READ = list(readable_formats())


def mark(name, number):
    """Return when a format's network is walked: the first in each run, the first of each player in CI."""
    roles = [PEERS[name].role_of(spec) for spec in VARIANTS[name]]
    if number == 0:
        return ()
    return pytest.mark.broad if number == roles.index(roles[number]) else pytest.mark.slow


# a network of every format in each run, one of each player in CI, all that users set in the slow run
CASES = [
    pytest.param(
        name,
        spec,
        id=f"{name}-{number}",
        marks=mark(name, number),
    )
    for name, specs in VARIANTS.items()
    for number, spec in enumerate(specs)
]


def plain(settings):
    return json.loads(json.dumps(settings))


def exported(name, spec):
    """Return role, config, weights and export of a network that a peer's settings describe."""
    form = PEERS[name]
    assert form.accepts(spec)
    role, config = form.role_of(spec), plain(form.read(spec))
    state = weights(role, config)
    return role, config, state, export_network(form.peer, role, config, state)


def player(role):
    return "G_ema" if role == GENERATOR else "D"


def source(folder):
    """Return what to convert: the folder, or the one file of a runner."""
    return next(folder.glob("iter_*.pth"), folder)


def test_every_readable_format_is_walked_and_written():
    assert set(VARIANTS) == set(READ)
    for name in READ:
        form = PEERS[name]
        assert form.writing is not None
        absent = [r for r in (GENERATOR, DISCRIMINATOR) if r not in form.tables and r not in form.lacks]
        assert absent == [], f"{name} has no {absent} and does not say why"


@pytest.mark.parametrize(("name", "spec"), CASES)
def test_settings_and_weights_go_there_and_back(name, spec, tmp_path):
    role, config, state, back = exported(name, spec)
    form = PEERS[name]
    assert back.format == name

    # names: every key of theirs has one place here, every key of ours one there
    places = form.key_map(back.state, role)
    assert len(set(places.values())) == len(places)

    # settings: reading what was written and writing that again changes nothing
    settings = plain(back.spec)
    again = plain(form.read(settings))
    assert plain(form.writing.describe(role, again, form.build(settings))) == settings

    # files: read without --set, all settings known, the same outputs
    write_files({player(role): back}, 7, tmp_path)
    (fit,) = inspect_checkpoint(source(tmp_path)).networks
    assert (fit.format.name, fit.role) == (name, role)
    assert set(fit.origin.values()) == {"file"}
    network = fit.build()
    reference = form.build(spec)
    reference.load_state_dict(state, strict=False)
    ours, theirs = probe(reference, role, config), probe(network, role, config)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert torch.allclose(value, theirs[key], rtol=1e-4, atol=1e-5), key


@pytest.mark.parametrize("name", READ)
@pytest.mark.broad  # a walk of ten seconds and more
def test_broken_files_are_refused_by_the_key(name, tmp_path):
    role, *_, back = exported(name, VARIANTS[name][0])
    kept = used(name, PEERS[name].key_map(back.state, role))
    *_, key = (theirs for theirs, value in back.state.items() if value.dim() > 1 and theirs in kept)
    for folder, state in {
        "missing": {k: value for k, value in back.state.items() if k != key},
        "shape": {**back.state, key: torch.zeros(*back.state[key].shape, 2)},
        "extra": {**back.state, "nobody.7.weight": torch.zeros(2)},
    }.items():
        write_files({player(role): Exported(name, state, back.spec)}, 7, tmp_path / folder)
        named = key if folder != "extra" else "nobody.7.weight"
        with pytest.raises(ConversionError, match=re.escape(named)):
            inspect_checkpoint(source(tmp_path / folder))
