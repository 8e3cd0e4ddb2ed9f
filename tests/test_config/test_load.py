"""Finding, reading and checking a config file."""

import os
import re
import warnings

import pytest
from PIL import Image

from mmcgan.config import ConfigError, all_configs, config_folders, find_config, load_config, locate
from mmcgan.config.load import read_config
from tests.test_config.examples import write_example

NAME = "omnigan_biggan_digits-16"


def test_config_is_found_by_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    by_name = find_config(NAME)
    assert by_name == find_config(f"{NAME}.py") == find_config(f"configs/omnigan/{NAME}.py")
    assert by_name.is_file() and by_name.stem == NAME


def test_file_goes_before_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{NAME}.py").write_text("")
    assert find_config(f"{NAME}.py") == tmp_path / f"{NAME}.py"


@pytest.mark.parametrize("name", ["omnigan_biggan_digit-16", "configs/omnigan/omnigan_biggan_digit-16.py"])
def test_unknown_name_suggests_the_nearest(name):
    with pytest.raises(FileNotFoundError, match=r"Did you mean .*omnigan_biggan_digits-16"):
        find_config(name)


def test_bases_are_not_configs():
    found = all_configs()
    assert found and not any("_base_" in file.parts for file in found)


def test_options_facts_and_validation_are_applied(tmp_path):
    config = load_config(write_example(tmp_path), {"train_cfg.max_iters": 7})
    assert config.train_cfg.max_iters == 7
    assert config.model.generator.num_classes == 10


def test_every_problem_is_in_one_error(tmp_path):
    path = write_example(tmp_path, 'model["generator"]["num_classes"] = 7\nrandomnes = 1\n')
    with pytest.raises(ConfigError) as caught:
        load_config(path, {"train_cfg.max_iter": 1})
    text = str(caught.value)
    assert text.startswith(f"{path}: 3 problems")
    for part in ("train_cfg.max_iter: ", "model.generator.num_classes: 7 contradicts", "randomnes: unknown"):
        assert part in text


def test_broken_file_is_a_config_error(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("model = dict(")
    with pytest.raises(ConfigError, match=r"broken\.py: 1 problem"):
        load_config(path)


def test_config_elsewhere_inherits_through_the_variable(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(f'_base_ = "{{{{$MMCGAN_CONFIGS:}}}}/omnigan/{NAME}.py"\ntrain_cfg = dict(max_iters=3)\n')
    config = load_config(path)
    assert config.train_cfg.max_iters == 3 and config.model.losses.omni.type == "OmniLoss"
    assert os.environ["MMCGAN_CONFIGS"] == str(config_folders()[0])


def test_failing_custom_import_is_named_and_the_others_are_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_good.py").write_text(
        "from mmcgan.registry import LOSSES\n"
        "from mmcgan.losses import HingeLoss\n"
        "@LOSSES.register_module(force=True)\n"
        "class MineLoss(HingeLoss):\n    pass\n"
    )
    (tmp_path / "mine_bad.py").write_text("raise RuntimeError('broken on purpose')\n")
    use = 'model["losses"]["adversarial"]["type"] = "MineLoss"\n'
    imports = 'custom_imports = dict(imports=["mine_bad", "mine_good"], allow_failed_imports={})\n'
    with pytest.raises(ConfigError) as caught:
        load_config(write_example(tmp_path, use + imports.format(False)))
    (problem,) = caught.value.problems
    assert str(problem) == ("custom_imports: cannot import 'mine_bad': RuntimeError: broken on purpose")
    with pytest.warns(UserWarning, match="'mine_bad'.*broken on purpose"):
        load_config(write_example(tmp_path, use + imports.format(True)))


def test_loading_a_correct_config_warns_about_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        load_config(write_example(tmp_path))


def test_a_faulty_data_set_is_the_only_problem(tmp_path):
    (tmp_path / "only").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "only" / "a.png")
    folder = dict(type="ImageFolder", root=str(tmp_path), image_size=16)
    with pytest.raises(ConfigError) as caught:
        load_config(NAME, {"train_dataloader.dataset": folder})
    (problem,) = caught.value.problems
    assert problem.path == "train_dataloader.dataset" and "only one class folder" in problem.message


def test_modules_named_in_options_are_imported_too():
    with pytest.raises(ConfigError, match="cannot import 'no_such_module'"):
        load_config(NAME, {"custom_imports": dict(imports=["no_such_module"])})


@pytest.mark.parametrize("ending", [".png", ".JPG", ".txt", ".pth", ".html", ""])
def test_a_file_of_another_kind_is_no_config(tmp_path, ending):
    file = tmp_path / f"given{ending}"
    file.write_bytes(b"x = 1")
    with pytest.raises(ValueError, match=r"no config, whose name ends in \.py") as found:
        load_config(file)
    assert str(file) in str(found.value) and "TMPDIR" not in str(found.value)
    assert ("give its folder" in str(found.value)) == (ending in (".png", ".JPG"))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("texts::text_lights", "that one is .*text_lights.py"),
        ("texts::text_light", "Did you mean .*text_lights"),
        ("nobodys::text_lights", "no installed plugin 'nobodys'"),
        ("nobodys::sub/text_lights.py", "no installed plugin 'nobodys'"),
        ("a::b::c", "no installed plugin 'a'"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_base_that_is_a_name_is_refused_with_its_file(tmp_path, monkeypatch, name, advice, listed, nested):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "text_lights.py").write_text("model = dict()")
    monkeypatch.setattr(locate, "plugin_config_folders", lambda: {"texts": tmp_path / "texts"})
    first, config = tmp_path / "first.py", tmp_path / "config.py"
    first.write_text(f"_base_ = {[name] if listed else name!r}")
    config.write_text("_base_ = ['first.py']")
    with pytest.raises(ConfigError) as caught:
        load_config(config if nested else first)
    (problem,) = caught.value.problems
    assert problem.path == (f"_base_ of {first}" if nested else "_base_")
    assert problem.message.startswith(f"{name!r} is the name of a config; a base is a file: ")
    assert re.search(advice, problem.message)


def test_an_error_of_the_file_itself_is_not_taken_for_one_of_its_bases(tmp_path):
    (tmp_path / "mine.py").write_text("raise ValueError('mine :: alone')")
    with pytest.raises(ValueError, match=r"^mine :: alone$"):
        load_config(tmp_path / "mine.py")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("pic.png", r"'pic\.png' is no config, whose name ends in \.py, \.json, \.yaml or \.yml$"),
        ("folder", "'folder' is no config, whose name ends in"),
        (
            "biggan_digits-16",
            "'biggan_digits-16' is no config, .*; the path of that one is '.*biggan_digits-16.py'",
        ),
        (["first.json", "notes.txt"], "'notes.txt' is no config"),
        (3, "must be the path of a config, or a list of such paths, got 3"),
        ([None], "must be the path of a config, or a list of such paths, got None"),
    ],
)
def test_a_base_that_is_no_config_is_refused_with_its_file(tmp_path, base, said, nested):
    for name in ("pic.png", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "first.json").write_text("{}")
    first = tmp_path / "first.py"
    first.write_text(f"_base_ = {base!r}")
    config = tmp_path / "config.py"
    config.write_text("_base_ = 'first.py'")
    with pytest.raises(ConfigError) as caught:
        read_config(config if nested else first)
    (problem,) = caught.value.problems
    assert problem.path == (f"_base_ of {first}" if nested else "_base_")
    assert re.search(said, problem.message)


def test_errors_of_a_config_are_not_put_down_to_its_bases(tmp_path):
    (tmp_path / "fine.py").write_text("x = 1")
    for text, error in {"1 / 0": ZeroDivisionError, "x +": ConfigError, "y = x.z": AttributeError}.items():
        (tmp_path / "mine.py").write_text(f"_base_ = 'fine.py'\nx = 1\n{text}")
        with pytest.raises(error) as caught:
            read_config(tmp_path / "mine.py")
        assert "_base_" not in str(caught.value)
