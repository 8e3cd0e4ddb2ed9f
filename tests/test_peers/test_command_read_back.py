"""By the command line alone: our weights to every format that is written, and back without ``--set``."""

import json
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import save_file

from mmcgan.apis import load_model
from mmcgan.cli import main
from mmcgan.peers import GENERATOR, PEERS
from mmcgan.peers.translation import DISCRIMINATOR, build_network
from mmcgan.structures import Condition
from mmcgan.zoo.models import GeneratorRecord
from mmcgan.zoo.reading import FORMAT
from tests.test_peers.golden_files import is_narrowed
from tests.test_peers.test_way_back import described, plain, recorded
from tests.test_peers.variants import VARIANTS

WRITTEN = [name for name, form in PEERS.items() if form.writing is not None]


def generator_of(name):
    """Return the config and weights of the smallest recorded generator of a format, in our names."""
    form = PEERS[name]
    cases = [case for case in recorded().get(name, []) if not is_narrowed(case)]
    cases = [case for case in cases if form.role_of(case.spec) == GENERATOR]
    if not cases:
        return described_generator_of(name)
    case = min(cases, key=lambda case: sum(value.numel() for value in case.state().values()))
    config = plain(form.read(described(case)))
    return config, form.network(case.spec, case.state()).module.state_dict()


def described_generator_of(name):
    """Return config and fresh weights of a generator that a description in the peer's words builds."""
    form = PEERS[name]
    spec = next((spec for spec in VARIANTS.get(name, []) if form.role_of(spec) == GENERATOR), None)
    if spec is None:
        assert set(form.roles) == {DISCRIMINATOR}
        pytest.skip(f"{name} is a discriminator's format; the command writes it beside a generator only")
    config = plain(form.read(spec))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return config, build_network(GENERATOR, config).state_dict()


def images(path):
    """Return what a model paints of a fixed latent and condition."""
    loaded = load_model(path)
    generator, config = loaded.model.generator.eval(), loaded.record.generator
    draw = torch.Generator().manual_seed(0)
    height = generator.image_size if isinstance(generator.image_size, int) else generator.image_size[0]
    fields = {
        "label": lambda: torch.zeros(2, dtype=torch.int64),
        "instance": lambda: torch.randn(2, config["instance_dim"], generator=draw),
        "label_map": lambda: torch.randint(generator.num_map_classes, (2, height, height), generator=draw),
        "edge_map": lambda: torch.rand(2, height, height, generator=draw) < 0.2,
    }
    if any(name not in fields for name in generator.requires):
        pytest.skip(f"no made-up {generator.requires}")
    condition = Condition(**{name: fields[name]() for name in generator.requires})
    with torch.no_grad():
        return generator(torch.randn(2, generator.latent_dim, generator=draw), condition)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.broad  # a walk of ten seconds and more
def test_what_the_command_writes_it_reads_back(name, tmp_path, capsys):
    config, weights = generator_of(name)
    record = asdict(GeneratorRecord(config, dict(type="NormalLatent"), dict(type="Unconditional")))
    ours, theirs, again = tmp_path / "ours.safetensors", tmp_path / "theirs", tmp_path / "again.safetensors"
    save_file(
        {key: value.clone().contiguous() for key, value in weights.items()},
        ours,
        {"format": FORMAT, "record": json.dumps(record)},
    )
    status = main(["convert", str(ours), str(theirs), "--to", PEERS[name].peer])
    if status != 0:  # what cannot come back is not written
        assert "cannot hold this network" in capsys.readouterr().err and not theirs.exists()
        return
    assert main(["convert", str(theirs), str(again)]) == 0, capsys.readouterr()
    assert torch.allclose(images(ours), images(again), atol=1e-5)
