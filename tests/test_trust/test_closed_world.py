"""What a config in a file may ask for, part by part and reader by reader."""

import hashlib
import hmac
import inspect as inspection
import json

import pytest
import torch
from PIL import Image

from mmcgan import closed_world
from mmcgan.apis.label_map_sampling import held_out_dataset
from mmcgan.apis.sampling import sample
from mmcgan.checkpoints import seal
from mmcgan.closed_world import OPEN_TO_FILES
from mmcgan.datasets.decode import BadImageError, ImageReader
from mmcgan.image_files import FORMATS
from mmcgan.origin import USER, Origin, RefusedConfigError
from mmcgan.registry import DATASETS, EXTRACTORS, SAMPLERS, TRANSFORMS
from mmcgan.zoo.models import load_model
from tests.test_trust import hostile

FILE = Origin("weights.safetensors")
NAMES = list(hostile.commands("flag"))
READERS = list(hostile.readers("secret"))
#: words in the name of an argument that says where something is on the disk
PLACES = ("root", "path", "file", "folder", "directory", "table", "names", "lists", "weights", "store")


# --- nothing runs ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", ["dataset", "condition_sampler", "generator", "extractor"])
def test_a_record_runs_nothing_wherever_it_asks_for_it(name, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flag = tmp_path / "flag"
    (tmp_path / "payload.py").write_text(f"open({str(flag)!r}, 'w')")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = hostile.commands(flag)[name]
    places = {
        "dataset": dict(dataset=config),
        "condition_sampler": dict(condition_sampler=dict(type="RealCondition", dataset=config)),
        "generator": dict(generator=dict(type="CodedGenerator", generator=config, code_dim=1)),
        "extractor": dict(extractor=dict(config=config, describe={})),
    }
    path = hostile.write_exported(tmp_path / "model.safetensors", hostile.record() | places[part])
    with pytest.raises(ValueError, match=r"model\.safetensors: "):
        loaded = load_model(path)
        if part == "extractor":
            closed_world.build(
                EXTRACTORS, loaded.record.extractor["config"], loaded.extractor_origin, "extractor"
            )
        elif part == "dataset":
            closed_world.build(DATASETS, loaded.record.dataset, loaded.origin, "dataset")
        loaded.condition_sampler.sample(1, torch.Generator())
    assert not flag.exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_config_in_a_checkpoint_runs_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flag = tmp_path / "flag"
    config = hostile.commands(flag)[name]
    sampler = dict(type="RealCondition", dataset=config)
    model = dict(generator=hostile.GENERATOR, condition_sampler=sampler)
    path = hostile.write_run(tmp_path / "iter_1.pth", model)
    with pytest.raises(ValueError, match=r"iter_1\.pth: "):
        load_model(path).condition_sampler.sample(1, torch.Generator())
    assert not flag.exists()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("custom_imports = dict(imports=['payload'])", "payload"),
        ("runner_type = 'os.system'", "os.system"),
        ("_base_ = 'payload.py'", "_base_"),
        ("import os", "only NAME = VALUE"),
        ("a = [x for x in ()]", "cannot be read"),
        ("a = " + "-" * 5000 + "1", "cannot be read"),
        ("a = " + "[" * 5000, "cannot be read"),
        ("a = {[]: 1}", "cannot be read"),
    ],
)
def test_the_config_of_a_checkpoint_is_data(line, named, tmp_path):
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    path = hostile.write_run(tmp_path / "iter_1.pth", model, text=f"model = {model!r}\n{line}\n")
    with pytest.raises(RefusedConfigError, match=r"iter_1\.pth: ") as caught:
        load_model(path)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{}", '{"generator": 1}', '{"nothing": {}}', "[]", "null", '{"generator": NaN', "\x00"],
)
def test_a_record_that_is_none_is_a_sentence(text, tmp_path):
    path = hostile.write_exported(tmp_path / "model.safetensors", text)
    with pytest.raises(ValueError, match=r"model\.safetensors: "):
        load_model(path)


# --- nothing of this disk is read -----------------------------------------------------------------
@pytest.mark.parametrize("name", READERS)
def test_data_sets_that_read_the_disk_are_refused_by_name(name, tmp_path):
    config = hostile.readers(tmp_path / "secret")[name]
    path = hostile.write_exported(
        tmp_path / "model.safetensors",
        hostile.record(hostile.PAINTER, dict(type="RealCondition", dataset=config), dataset=config),
        hostile.PAINTER,
    )
    loaded = load_model(path)  # a label map of one's own can be painted all the same
    with pytest.raises(RefusedConfigError, match=r"model\.safetensors: ") as caught:
        closed_world.build(DATASETS, loaded.record.dataset, loaded.origin, "dataset")
    assert "CONFIG FILE" in str(caught.value)
    with pytest.raises(RefusedConfigError):
        loaded.condition_sampler.sample(1, torch.Generator())
    if "split" in inspection.signature(DATASETS.get(config["type"])).parameters:
        with pytest.raises(RefusedConfigError, match="CONFIG FILE; or give label maps"):
            held_out_dataset(loaded.record.dataset, loaded.name, loaded.origin)


@pytest.mark.parametrize("store", ["/secret/store", "../store", "~/store", "C:\\store", "sub/../../store"])
def test_a_store_is_in_the_models_folder_or_nowhere(store, tmp_path):
    sampler = dict(type="AllInstances", instance_store=store)
    path = hostile.write_exported(
        tmp_path / "m.safetensors", hostile.record(hostile.INSTANCE, sampler), hostile.INSTANCE
    )
    loaded = load_model(path)
    with pytest.raises(RefusedConfigError, match=r"instance_store=.* leads outside"):
        loaded.condition_sampler.sample(1, torch.Generator())
    with pytest.raises(RefusedConfigError, match=r"instance_store=.* leads outside"):
        loaded.store  # noqa: B018


def test_a_link_does_not_lead_out_of_the_models_folder(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "store").symlink_to(tmp_path / "secret")
    sampler = dict(type="AllInstances", instance_store="store")
    origin = Origin.of_file(tmp_path / "model" / "m.safetensors")
    with pytest.raises(RefusedConfigError, match="leads outside"):
        closed_world.build(SAMPLERS, sampler, origin, "condition_sampler")


def test_a_file_cannot_say_that_a_program_is_to_be_trusted(tmp_path):
    (tmp_path / "program.pt").write_bytes(b"not run")
    config = dict(type="TeroInception", weights="program.pt", sha256="0" * 64)
    origin = Origin.of_file(tmp_path / "m.safetensors")
    with pytest.raises(RefusedConfigError, match=r"sha256='0+' is for the user to say"):
        closed_world.build(EXTRACTORS, config, origin, "extractor")


def test_a_data_set_that_declares_nothing_is_for_no_file():
    @DATASETS.register_module()
    class Undeclared(DATASETS.get("DigitsDataset")):
        """May read anything."""

    try:
        with pytest.raises(RefusedConfigError, match="Undeclared, which may read any file"):
            closed_world.build(DATASETS, dict(type="Undeclared"), FILE, "dataset")
        assert closed_world.build(DATASETS, dict(type="Undeclared", image_size=16), USER, "dataset")
    finally:
        DATASETS.module_dict.pop("Undeclared")


def test_every_component_declares_the_arguments_that_name_files():
    for registry in OPEN_TO_FILES:
        for name in registry.names():
            component = registry.get(name)
            if not component.__module__.startswith("mmcgan."):
                continue
            declared = getattr(component, "disk_arguments", ())
            arguments = inspection.signature(component).parameters
            wanted = [a for a in arguments if any(a == p or a.endswith(f"_{p}") for p in PLACES)]
            # weights of classes are numbers; only those that may be text name files
            wanted = [a for a in wanted if "str" in str(arguments[a].annotation)]
            assert set(wanted) <= set(declared), f"{name}: disk_arguments must name {wanted}"
            assert set(declared) <= set(arguments), name
            asks = [a for a in arguments if a in ("download", "sha256")]
            assert set(asks) <= set(getattr(component, "user_arguments", ())), name


# --- what is meant to work ------------------------------------------------------------------------
def test_a_store_beside_the_model_is_its_own(tmp_path, monkeypatch):
    from tests.test_instances.stores import make_store

    make_store(tmp_path / "model" / "store")
    sampler = dict(type="AllInstances", instance_store="store")
    origin = Origin.of_file(tmp_path / "model" / "m.safetensors")
    monkeypatch.chdir("/")
    built = closed_world.build(SAMPLERS, sampler, origin, "condition_sampler")
    assert built.store.size == 40


def test_checkpoints_that_this_user_made_may_name_folders_anywhere(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    text = f"model = {model!r}\n"
    mark = seal.seal(seal.RUN, text, "")
    assert (seal.key_file().stat().st_mode & 0o077) == 0
    own = hostile.write_run(tmp_path / "own.pth", model, text=text, seal=mark)
    changed = hostile.write_run(tmp_path / "changed.pth", model, text=text + "a = 1\n", seal=mark)
    assert load_model(own).origin.own
    assert not load_model(changed).origin.own
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "somebody else's"))
    assert not load_model(own).origin.own


def test_a_home_that_cannot_be_written_seals_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert seal.seal(seal.RUN, "text") is None
    assert not seal.is_own(None, seal.RUN, "text")


def test_a_mark_says_nothing_of_another_file(tmp_path, monkeypatch):
    """Who was given a checkpoint of this user has its mark, and puts it under a file of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    text = f"model = {model!r}\n"
    mark = seal.seal(seal.RUN, text, "..")
    for name, wrong in {
        "config": dict(text=text + "custom_imports = dict(imports=['payload'])\n", started_in=".."),
        "folder": dict(text=text, started_in="../../elsewhere"),
        "no folder": dict(text=text),
        "a list": dict(text=text, started_in=[".."]),
        "a store's": dict(text=text, started_in="..", seal=seal.seal(seal.STORE, text, "..")),
        "no text": dict(text=text, started_in="..", seal=b"x"),
        "not of ASCII": dict(text=text, started_in="..", seal="\udcff"),
        "empty": dict(text=text, started_in="..", seal=""),
        "glued together": dict(text=text + "..", started_in=""),
    }.items():
        path = tmp_path / "changed.pth"
        try:
            hostile.write_run(path, model, **{"seal": mark, **wrong})
            assert not load_model(path).origin.own, name
        except ValueError as error:
            assert "changed.pth" in str(error), name
    own = load_model(hostile.write_run(tmp_path / "own.pth", model, text=text, seal=mark, started_in=".."))
    assert own.origin.own and own.origin.started_in == tmp_path / ".."


def test_a_mark_of_before_vouches_for_the_config_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    model = dict(generator=hostile.GENERATOR, condition_sampler=hostile.LABEL)
    text = f"model = {model!r}\n"
    seal.seal(seal.RUN, text)  # makes the key
    mark = hmac.new(seal.key_file().read_bytes(), text.encode(), hashlib.sha256).hexdigest()
    path = hostile.write_run(tmp_path / "old.pth", model, text=text, seal=mark, started_in="../elsewhere")
    origin = load_model(path).origin
    assert origin.own and origin.started_in is None


def test_a_model_of_an_unknown_data_set_still_samples(tmp_path):
    content = hostile.record(dataset=dict(type="MyOwnPictures", root="/data/pictures"))
    path = hostile.write_exported(tmp_path / "model.safetensors", content)
    assert len(sample(path, num=2, out=tmp_path / "out").images) == 2


def test_wrappers_of_transforms_work_with_children_from_our_registry():
    crop = dict(type="CenterCrop", crop_size=(16, 16))
    wrapped = dict(type="RandomApply", transforms=[dict(type="Compose", transforms=[crop])], prob=1.0)
    image = DATASETS.build(hostile.digits(wrapped))[0]["image"]
    assert torch.equal(image, DATASETS.build(hostile.digits())[0]["image"])
    assert TRANSFORMS.get("KeyMapper") is None


# --- pictures -------------------------------------------------------------------------------------
def test_postscript_is_no_picture_whatever_its_name(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(hostile.EPS)
    with pytest.raises(BadImageError, match="none of the formats that are read: PNG"):
        ImageReader(16)(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "PPM", "TIFF", "GIF"])
def test_pictures_are_known_by_their_content(kind, tmp_path):
    assert kind in FORMATS
    path = tmp_path / "picture.dat"
    Image.new("RGB", (16, 16), (10, 200, 30)).save(path, format=kind)
    assert ImageReader(16)(path).shape == (3, 16, 16)


def test_metadata_of_a_store_is_read_as_data(tmp_path):
    from mmcgan.instances.store import open_store
    from mmcgan.instances.store_metadata import StoreError

    for text in ("[" * 100_000, "[]", json.dumps({"format": "mmcgan-instances-1"}), '{"format": 1}'):
        (tmp_path / "metadata.json").write_text(text)
        with pytest.raises(StoreError, match=r"metadata\.json: "):
            open_store(tmp_path)
