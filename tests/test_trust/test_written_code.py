"""Whatever writes a config writes names from outside as data: the config is a program."""

import ast
from pathlib import Path

import pytest
import torch
from mmengine import Config

from mmcgan.checkpoints import code_text
from mmcgan.cli import main
from mmcgan.engine.written_config import write_config
from mmcgan.peers.reading.config_file import config_text as converted_text
from mmcgan.proposal.choices import Choice, Method, Width
from mmcgan.proposal.config_text import Source, config_text, settings_lines
from mmcgan.registry import build_runner
from tests.test_engine.tiny_run import tiny_config
from tests.test_peers.networks import DISCRIMINATOR_CONFIG, GENERATOR_CONFIG, generator_state

from .guard import ROOT

RUN = "open('FLAG','w')"
#: names that would touch FLAG if they were code; none holds a slash, so that files may be called so
NAMES = (
    f"a\n{RUN}\n#",
    f"a\r{RUN}\n#",
    f"a\u2028{RUN}\n#",
    f"a\x0c{RUN}",
    f"a'); {RUN}  #",
    f'a"); {RUN}  #',
    f"a\\'\"); {RUN}  #",
    f'"+str({RUN})+"',
    "{{$HOME:y}}",
    f"{{{{$X:\\'+str({RUN})+'}}}}",
    f"{{{{$X:\\\\'\"+str({RUN})+'}}}}",
    f"{{{{{{$X:\\n{RUN}#}}}}}}",
    f"{{{{{{{{$X:\\n{RUN}#}}}}}}}}",
    "{{{ fileDirname }}}",
    "{{ _base_.model }}",
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Run in a folder of its own, where FLAG would appear."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMCGAN_CONFIGS", str(ROOT / "configs"))
    yield tmp_path
    assert not Path("FLAG").exists()


def read(text, folder="."):
    """Return the config of a text, without what it inherits."""
    path = Path(folder) / "written.py"
    path.write_text("\n".join(line for line in text.split("\n") if not line.startswith("_base_")), "utf-8")
    return Config.fromfile(path)


def test_the_names_are_code_where_nothing_is_done_about_them():
    """Else the tests below could not fail."""
    ran = []
    for name in NAMES:
        for text in (f"# {name}\n", f"a = '{name}'\n", f'a = "{name}"\n', f"a = {name!r}\n"):
            try:
                value = read(text).get("a", name)
            except Exception:
                ran.append(name)
            else:
                ran += [name] if value != name or Path("FLAG").exists() else []
            Path("FLAG").unlink(missing_ok=True)
    assert set(ran) == set(NAMES)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_every_part_of_a_config_is_data(name):
    settings = {"a": name, "b": {name: [name, {"c": {name: (name,)}}]}, "c": {"class": name, "ﬁ": 1}}
    lines = [code_text.comment(name), *(code_text.assignment(key, value) for key, value in settings.items())]
    assert not any("{{" in line for line in lines)
    assert "\n" not in lines[0] and lines[0].isprintable()
    found = read("\n".join(lines))._cfg_dict.to_dict()
    assert found == settings


@pytest.mark.parametrize("folder", ["plain", *NAMES], ids=range(len(NAMES) + 1))
def test_a_file_beside_a_config_is_found_in_a_folder_of_any_name(folder):
    Path(folder).mkdir()
    code = code_text.beside("a.pth", Path(folder))
    assert code.startswith("'{{ fileDirname }}") == (folder == "plain")
    assert Path(read(f"a = {code}", folder).a) == Path(folder).resolve() / "a.pth"


# --- what writes configs --------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("kind", ["omni", "instance"])
def test_of_images_in_a_folder(name, kind):
    method = Method(kind, "biggan-diffaug", False, (), True)
    judge = {"type": "SelfSupervisedExtractor", "weights": name}
    source = Source(name, 50, Path(name))
    choices = [Choice(name, name, name)]
    config = read(config_text(source, method, Width(32, 8, 4), 100, judge, choices, name))
    dataset = config.train_dataloader.dataset
    assert (dataset.dataset if kind == "instance" else dataset).root == name
    assert config.val_evaluator.extractor.weights == name


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_of_a_checkpoint(name):
    record = {
        "generator": {**GENERATOR_CONFIG, "note": name},
        "latent_sampler": {"type": "StandardNormal", name: name},
        "condition_sampler": {"type": "UniformLabel", "num_classes": 5},
    }
    config = read(converted_text(name, name, record, DISCRIMINATOR_CONFIG, Path()))
    assert config.model.generator.note == config.model.latent_sampler[name] == name
    assert config.load_from == f"{Path.cwd().as_posix()}/{name}.pth"


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_of_a_run(name, tmp_path):
    values = {"a": name, "b": [{"c": name}]}
    write_config(Config(values), tmp_path, tmp_path / "written")
    assert Config.fromfile("written/written.py")._cfg_dict.to_dict() == values


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_of_a_benchmark(name):
    config = read("\n".join(settings_lines(["default_runtime"], {"dataset": {"root": name}})))
    assert config.dataset.root == name


# --- from end to end ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [NAMES[0], NAMES[11]], ids=["lines", "template"])
def test_a_converted_model_is_sampled_from(name):
    with open(f"G_ema{name}.pth", "wb") as file:
        torch.save(generator_state(), file)
    assert main(["convert", f"G_ema{name}.pth", "nice.safetensors"]) == 0
    assert main(["sample", "nice.py", "nice.safetensors", "--num", "1", "--out", "samples"]) == 0
    assert name[:1] in Path("nice.py").read_text().splitlines()[0]


def test_a_runner_writes_its_config_so(tmp_path):
    Path("mine.py").write_text(tiny_config(tmp_path / "run").dump(), "utf-8")
    config = Config.fromfile("mine.py")
    config.note = NAMES[10]
    assert build_runner(config) is not None
    assert Config.fromfile(tmp_path / "run" / "mine.py").note == NAMES[10]


def _templates(path):
    """Yield the texts of a source that begin a config or ask MMEngine to fill something in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            marks = ("_base_ =", "{{$", "fileDirname", "load_from = '", "model = ")
            if any(mark in node.value for mark in marks):
                yield node.value


def test_configs_are_put_together_in_one_place():
    """A second writer of configs is to use this one: it would not be walked by the tests above."""
    sources = [path for room in ("mmcgan", "tools", "benchmarks") for path in (ROOT / room).rglob("*.py")]
    assert list(_templates(ROOT / "mmcgan" / "checkpoints" / "code_text.py"))
    found = {path.relative_to(ROOT).as_posix(): list(_templates(path)) for path in sources}
    assert {path for path, texts in found.items() if texts} == {"mmcgan/checkpoints/code_text.py"}
