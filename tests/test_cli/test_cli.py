"""The command line: light to ask, the same as tools/*.py, and never a traceback for a user's mistake."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mmcgan.cli import COMMANDS, build_parser, main
from tests.test_config.examples import write_example

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["sample", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    program = (
        "import sys\nfrom mmcgan.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as done:\n    assert done.code == 0\n"
        "heavy = {'torch', 'mmengine', 'mmcv', 'numpy', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mmcgan" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_handler(name):
    module, _, function = COMMANDS[name].handler.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("tool", ["train", "test", "sample", "check_config"])
def test_tool_is_the_command(tool):
    done = subprocess.run([sys.executable, TOOLS / f"{tool}.py", "--help"], capture_output=True, text=True)
    command = tool.replace("_", "-")
    assert done.returncode == 0 and done.stdout.startswith(f"usage: mmcgan {command}")


def test_abbreviated_options_are_refused(capsys):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", "x", "--res"])
    assert "--res" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "omnigan_biggan_digit-16"], "Did you mean 'omnigan_biggan_digits-16'"),
        (["train", "omnigan_biggan_digits-16", "--cfg-options", "train_cfg.max_iter=1"], "'max_iters'"),
        (["train", "omnigan_biggan_digits-16", "--cfg-options", "max"], "expected KEY=VALUE, got 'max'"),
        (["test", "omnigan_biggan_digits-16", "nothing.pth"], "no checkpoint nothing.pth"),
        (["sample", "not_there"], "no shipped model, config or weights file 'not_there'"),
        (["sample", "biggan_imagenet-128"], "is a config: give its checkpoint too"),
        (["sample", "omnigan_biggan_digits-16", "no.pth"], "no checkpoint file no.pth"),
    ],
)
def test_a_users_mistake_is_one_message(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Train the example for two iterations and return its folder."""
    folder = tmp_path_factory.mktemp("run")
    assert main(["train", str(write_example(folder)), "--work-dir", str(folder / "work")]) == 0
    return folder


def test_training_ends_with_the_metrics_and_the_picture(run, capsys):
    assert main(["train", str(run / "example.py"), "--work-dir", str(run / "second")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("picture: ")
    width, height = Image.open(lines[-1].removeprefix("picture: ")).size
    assert (width, height) == (10 * 50, 2 * 50)  # 10 classes, 2 rows of 16 pixels, enlarged, with gaps
    name, value = lines[-2].split(": ")
    assert name == "conditional_accuracy" and 0 <= float(value) <= 1


def test_another_runs_folder_is_refused_unless_resumed(run, capsys):
    arguments = ["train", str(run / "example.py"), "--work-dir", str(run / "work")]
    before = sorted((run / "work").rglob("*"))
    assert main(arguments) == 2
    assert (
        "holds the checkpoints of another run (iter_2.pth). Continue it with --resume"
        in capsys.readouterr().err
    )
    assert sorted((run / "work").rglob("*")) == before
    assert main([*arguments, "--resume", "--cfg-options", "train_cfg.max_iters=3"]) == 0
    assert (run / "work" / "iter_3.pth").is_file()


def test_check_config_counts_and_reports(tmp_path, capsys):
    good = write_example(tmp_path)
    bad = tmp_path / "bad.py"
    bad.write_text(good.read_text().replace("HingeLoss", "HingLoss"))
    assert main(["check-config", str(good), str(bad)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 passed, 1 failed"
    assert "model.losses.adversarial.type: no loss named 'HingLoss'. Did you mean 'HingeLoss'" in out


def test_check_config_without_a_run_misses_only_the_run(tmp_path, capsys):
    # valid for every signature, but the network refuses the size when it is built
    path = write_example(tmp_path, 'train_dataloader["dataset"]["image_size"] = 17\nval_dataloader = None\n')
    assert main(["check-config", "--no-run", str(path)]) == 0
    assert main(["check-config", str(path)]) == 1
    assert "image_size" in capsys.readouterr().out


def test_exported_weights_sample_and_test_like_the_checkpoint(run, capsys):
    checkpoint, config = str(run / "work" / "iter_2.pth"), str(run / "example.py")
    exported = str(run / "shared" / "tiny.safetensors")
    assert main(["export-weights", checkpoint, exported, "--command-line", "mmcgan train example.py"]) == 0
    for weights, out in ((["--out", "a"], exported), (["--out", "b"], checkpoint)):
        assert main(["sample", out, "--num", "4", weights[0], str(run / weights[1])]) == 0
    assert (run / "a" / "grid.png").read_bytes() == (run / "b" / "grid.png").read_bytes()
    for weights in (exported, checkpoint):
        result, work = run / "result.json", str(run / "test")
        assert main(["test", config, weights, "--json", str(result), "--work-dir", work]) == 0
        metrics = json.loads(result.read_text())["metrics"]
        if weights == exported:
            first = metrics
    assert metrics == first and set(metrics) == {"conditional_accuracy"}
    entry = json.loads((run / "shared" / "index.json").read_text())["tiny"]
    assert entry["iteration"] == 2 and entry["classes"] == [str(digit) for digit in range(10)]
    assert main(["export-weights", checkpoint, exported]) == 2
    assert "exists" in capsys.readouterr().err


def test_a_backend_that_is_not_installed_is_one_message(monkeypatch, capsys):
    def ask_for_backend(arguments):
        raise ImportError('Please run "pip install wandb" to install wandb')

    monkeypatch.setattr("mmcgan.apis.commands.list_command", ask_for_backend)
    assert main(["list"]) == 2
    assert capsys.readouterr().err == 'mmcgan: error: Please run "pip install wandb" to install wandb\n'
