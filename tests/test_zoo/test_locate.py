"""Models by name, file, address and hub; whatever the origin, a file is data."""

import json
import os
import sys
import types
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file, save, save_file

from mmcgan import registry
from mmcgan.cli import main
from mmcgan.models.sampling import SamplingModel
from mmcgan.structures import Condition
from mmcgan.zoo.cache import converted_path, download_path
from mmcgan.zoo.download import download
from mmcgan.zoo.hub import HubAddress
from mmcgan.zoo.locate import find_weights
from mmcgan.zoo.models import FORMAT, GeneratorRecord, load_model
from mmcgan.zoo.store import published_records
from tests.test_zoo.file_server import serving

GENERATOR = dict(type="DCGANGenerator", image_size=8, num_classes=3, base_channels=4, latent_dim=6)
SAMPLER = dict(type="UniformLabel", num_classes=3)


def exported(generator=None, sampler=None):
    """Return the bytes of an exported generator."""
    torch.manual_seed(0)
    network = SamplingModel(dict(GENERATOR), ema=False).generator
    record = GeneratorRecord(generator or GENERATOR, dict(type="NormalLatent"), sampler or SAMPLER)
    return save(network.state_dict(), {"format": FORMAT, "record": json.dumps(asdict(record))})


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    for variable in ("MMCGAN_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


def image_of(source):
    loaded = load_model(source)
    return loaded.model.sample(Condition(label=torch.tensor([1])), torch.ones(1, 6))


@pytest.fixture(scope="module")
def content():
    return exported()


@pytest.fixture
def local(tmp_path, content):
    path = tmp_path / "pets.safetensors"
    path.write_bytes(content)
    return path


def test_an_address_gives_the_model_of_the_file(local, content):
    with serving(content) as server:
        torch.testing.assert_close(image_of(server.url), image_of(local), rtol=0, atol=0)
        image_of(f"{server.url}#sha256={server.sha256}")
        assert len(server.asked) == 1  # the second time from the cache


def test_an_address_with_another_hash_is_refused(content, capsys, tmp_path):
    with serving(content) as server:
        status = main(["sample", f"{server.url}#sha256={'0' * 64}", "--out", str(tmp_path / "samples")])
    assert status == 2
    error = capsys.readouterr().err
    assert server.sha256 in error and "kept as" in error
    assert not (tmp_path / "samples").exists()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("https://example.org/model.zip", r"named \*\.safetensors or \*\.pth"),
        ("https://example.org/model.safetensors#md5=00", "must be sha256=HASH"),
        ("http://example.org/model.safetensors", "only https://"),
    ],
)
def test_bad_addresses_are_refused_before_anything_is_fetched(address, message):
    with pytest.raises(ValueError, match=message):
        find_weights(address)


@pytest.mark.parametrize(
    "stated",
    [
        "",
        " ",
        "2",
        "0" * 7,
        "not-a-hash",
        "0" * 65,
        "0" * 63 + "g",
        "0" * 8 + "#sha256=",
        "0x000000",
        "٣" * 8,
    ],
)
@pytest.mark.parametrize("here", [False, True], ids=["fetched", "in the cache"])
def test_a_hash_that_can_be_none_is_refused_before_anything_is_fetched_or_moved(stated, here, content):
    with serving(content) as server:
        if here:
            find_weights(server.url)
        asked = list(server.asked)
        with pytest.raises(ValueError, match="is not 8 to 64 hex digits") as caught:
            find_weights(f"{server.url}#sha256={stated}")
        with pytest.raises(ValueError, match="is not 8 to 64 hex digits"):
            download(server.url, download_path(server.url), stated)
        with pytest.raises(ValueError, match="is not 8 to 64 hex digits"):
            replace(published_records()[next(iter(published_records()))], sha256=stated)
        assert server.asked == asked and download_path(server.url).is_file() == here
        assert server.url in str(caught.value) and repr(stated) in str(caught.value)


def test_first_digits_of_a_hash_are_enough_however_they_are_spelt(content):
    with serving(content) as server:
        for stated in (server.sha256[:8], server.sha256.upper(), server.sha256):
            assert find_weights(f"{server.url}#sha256={stated}").read_bytes() == content


def test_a_published_model_is_found_by_name_once_it_is_converted(content):
    name = next(iter(published_records()))
    with pytest.raises(FileNotFoundError, match=rf"{name} is a published model .*mmcgan convert .*{name}"):
        load_model(name)
    path = converted_path(name)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert image_of(name).shape == (1, 3, 8, 8)


def test_a_misspelt_published_name_is_suggested():
    name = next(iter(published_records()))
    with pytest.raises(FileNotFoundError, match=f"Did you mean .*{name}"):
        load_model(name[:-1])


# --- the hub ------------------------------------------------------------------------------------


class FakeHub(types.ModuleType):
    """Stands for huggingface_hub: a repository with one file."""

    def __init__(self, path):
        super().__init__("huggingface_hub")
        self.path, self.asked = path, []

    def hf_hub_download(self, repo_id, filename, *, revision, cache_dir, local_files_only):
        self.asked.append((repo_id, filename, revision, local_files_only))
        if repo_id != "someone/pets":
            raise OSError(f"404: {repo_id} not found\nlong advice")
        return str(self.path)


@pytest.fixture
def hub(monkeypatch, local):
    module = FakeHub(local)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return module


def test_a_model_of_the_hub(hub, local):
    torch.testing.assert_close(image_of("hf://someone/pets"), image_of(local), rtol=0, atol=0)
    assert load_model("hf://someone/pets").name == "pets"
    assert load_model("hf://someone/pets/deep/dogs.safetensors@v2").name == "dogs"
    assert hub.asked == [
        ("someone/pets", "model.safetensors", None, False),
        ("someone/pets", "model.safetensors", None, False),
        ("someone/pets", "deep/dogs.safetensors", "v2", False),
    ]


@pytest.mark.parametrize("variable", ["MMCGAN_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_the_hub_is_asked_for_its_cache_alone(hub, variable, monkeypatch):
    monkeypatch.setenv(variable, "1")
    image_of("hf://someone/pets")
    assert hub.asked[0][-1] is True
    with pytest.raises(FileNotFoundError, match=f"only the cache is searched.*{variable}"):
        load_model("hf://nobody/pets")


def test_what_the_hub_does_not_have_is_named(hub):
    with pytest.raises(FileNotFoundError, match=r"hf://nobody/pets: OSError: 404: nobody/pets not found$"):
        load_model("hf://nobody/pets")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r'pip install "mmcgan\[hub\]"'):
        load_model("hf://someone/pets")


@pytest.mark.parametrize("address", ["hf://pets", "hf://a/../b/c", "hf:///a/b", "hf://a/b@", "hf://a b/c"])
def test_addresses_of_another_form_are_refused(address):
    with pytest.raises(ValueError, match="is not of the form hf://user/repo"):
        HubAddress.parse(address)


# --- files of strangers --------------------------------------------------------------------------

HOSTILE = [
    dict(type="os.system", command="touch {flag}"),
    dict(type="builtins.exec", source="open({flag!r}, 'w')"),
    dict(type="subprocess.check_output", args=["touch", "{flag}"]),
    dict(type="pathlib.Path.touch", self="{flag}"),
]


def with_flag(config, flag):
    return json.loads(json.dumps(config).replace("{flag}", str(flag)).replace("{flag!r}", f"'{flag}'"))


@pytest.mark.parametrize("config", HOSTILE)
@pytest.mark.parametrize("part", ["generator", "latent_sampler", "condition_sampler", "nested"])
def test_a_config_in_a_file_of_weights_runs_nothing(config, part, tmp_path, content):
    flag = tmp_path / "ran"
    (tmp_path / "good.safetensors").write_bytes(content)
    hostile = with_flag(config, flag)
    record = asdict(GeneratorRecord(GENERATOR, dict(type="NormalLatent"), SAMPLER))
    if part == "nested":
        record["generator"] = dict(type="CodedGenerator", generator=hostile, code_dim=1)
    else:
        record[part] = hostile
    path = tmp_path / "hostile.safetensors"
    save_file(
        load_file(tmp_path / "good.safetensors"), path, {"format": FORMAT, "record": json.dumps(record)}
    )
    with pytest.raises((ValueError, KeyError), match=rf"no component named '{config['type']}'"):
        load_model(path).condition_sampler.sample(1, torch.Generator())
    assert not flag.exists()


@pytest.mark.parametrize("closed", [registry.DATASETS, registry.TRANSFORMS, registry.MODELS, registry.HEADS])
def test_what_files_can_name_is_registered(closed):
    for name in ("os.system", "subprocess.run", "antigravity", "mmengine.os.system"):
        assert closed.get(name) is None
        with pytest.raises(KeyError, match=f"no component named '{name}'"):
            closed.build(dict(type=name))
    for known in list(closed._module_dict)[:1]:
        assert closed.get(known) is closed.get(f"mmcgan.{known}") is not None


def test_a_hostile_checkpoint_runs_nothing(tmp_path):
    class Gadget:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "hostile.pth"
    torch.save({"state_dict": {"generator.weight": torch.zeros(1)}, "meta": Gadget()}, path)
    with pytest.raises(ValueError, match="holds more than tensors and plain data"):
        load_model(path)
    assert not (tmp_path / "ran").exists()


def test_a_record_that_is_none_is_named(tmp_path):
    path = tmp_path / "odd.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"format": FORMAT, "record": "[1, 2]"})
    with pytest.raises(ValueError, match=r"odd\.safetensors: its record cannot be read"):
        load_model(path)


@pytest.mark.parametrize("name", ["stylegan2.pt", "network-snapshot.pkl", "pytorch_model.bin", "G_ema"])
def test_weights_of_others_are_not_taken_for_a_config(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"weights")
    with pytest.raises(ValueError, match=r"mmcgan convert .* OUT\.safetensors"):
        find_weights(str(path))
