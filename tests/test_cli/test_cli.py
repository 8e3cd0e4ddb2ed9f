"""The command line: light to ask, the same as tools/*.py, and never a traceback for a user's mistake."""

import builtins
import importlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import FunctionType

import pytest
from PIL import Image

import mmcgan.commands
from mmcgan.cli import COMMANDS, command_parser, main
from mmcgan.commands.list_models import asked_of
from tests.test_config.examples import write_example

TOOLS = Path(__file__).resolve().parents[2] / "tools"


HEAVY = {"torch", "torchvision", "mmengine", "mmcv", "numpy", "rich", "sklearn", "timm", "PIL", "safetensors"}
ASK_ALL = f"""
import io, sys
from contextlib import redirect_stdout
from mmcgan.cli import COMMANDS, main
for arguments in [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]:
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            main(arguments)
        sys.exit("help did not end the program")
    except SystemExit as done:
        assert done.code == 0, arguments
    named = " ".join(["mmcgan", *arguments[:-1]])
    assert arguments == ["--version"] or said.getvalue().startswith(f"usage: {{named}} [-h]"), said.getvalue()
    heavy = {HEAVY} & set(sys.modules)
    assert not heavy, (arguments, heavy)
"""


def run_python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)


def test_help_of_every_command_imports_nothing_heavy_and_names_the_command():
    done = run_python("-c", ASK_ALL)
    assert done.returncode == 0, done.stderr


def test_listing_the_shipped_models_needs_no_torch():
    program = (
        "import sys\nfrom mmcgan.cli import main\nassert main(['list']) == 0\n"
        f"assert not {HEAVY} & set(sys.modules), {HEAVY} & set(sys.modules)\n"
    )
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    assert "omnigan_biggan_digits-16: 16 x 16, 10 classes" in done.stdout


def test_the_package_is_the_command():
    done = run_python("-m", "mmcgan", "--version")
    assert done.returncode == 0 and done.stdout.startswith("mmcgan ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_declares_and_runs_in_a_module_of_its_own(name):
    module = importlib.import_module(COMMANDS[name].module)
    assert callable(module.declare) and callable(module.run)
    assert sum(command.module == COMMANDS[name].module for command in COMMANDS.values()) == 1
    parser = command_parser(name)
    assert parser.prog == f"mmcgan {name}" and parser.description and not parser.allow_abbrev


def test_no_module_of_commands_is_left_out():
    folder = Path(mmcgan.commands.__file__).parent
    present = {f"mmcgan.commands.{file.stem}" for file in folder.glob("*.py")}
    helpers = {"mmcgan.commands.__init__", "mmcgan.commands.shared"}
    assert present - helpers == {command.module for command in COMMANDS.values()}


def test_help_lists_every_command_under_its_group(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for command in COMMANDS.values():
        group = said[said.index(f"\n{command.group}:\n") + 1 :].split("\n\n")[0]
        assert f"\n  {command.name} " in group and command.help in group


@pytest.mark.parametrize("arguments", [["trian"], ["--verbose", "trian"]])
def test_an_unknown_command_suggests_the_nearest(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "no command 'trian'. Did you mean 'train'" in capsys.readouterr().err


def test_an_unknown_config_names_the_nearest_and_not_all(capsys):
    assert main(["train", "zzzzqqqq"]) == 2
    error = capsys.readouterr().err
    assert "no config 'zzzzqqqq'" in error and "the nearest are" in error and len(error) < 400


def test_a_reader_who_goes_away_is_no_traceback():
    program = f"{sys.executable} -m mmcgan list | head -n 1"
    shell = ["bash", "-c", f"{program}; exit ${{PIPESTATUS[0]}}"]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1
    # a pipe without a reader, whatever the size of its buffer
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "mmcgan", "list"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.stderr == b"" and done.returncode == 141


def test_an_interrupt_is_one_line(monkeypatch, capsys):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmcgan.commands.list_models.run", stop)
    assert main(["list"]) == 130
    assert capsys.readouterr().err == "mmcgan: interrupted\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "x"), "[Errno 13] Permission denied: 'x'"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (zipfile.BadZipFile("File is not a zip file"), "File is not a zip file"),
        (
            ImportError('Please run "pip install wandb" to install wandb'),
            'Please run "pip install wandb" to install wandb',
        ),
    ],
)
def test_what_a_user_can_put_right_is_one_message(error, message, monkeypatch, capsys):
    def fail(arguments):
        raise error

    monkeypatch.setattr("mmcgan.commands.list_models.run", fail)
    assert main(["list"]) == 2
    assert capsys.readouterr().err == f"mmcgan: error: {message}\n"


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    def fail(arguments):
        raise AssertionError("ours")

    ours = FunctionType(
        fail.__code__, {"__name__": "mmcgan.commands.list_models"} | {"__builtins__": builtins}
    )
    monkeypatch.setattr("mmcgan.commands.list_models.run", ours)
    with pytest.raises(AssertionError, match="ours"):
        main(["list"])


@pytest.mark.parametrize("tool", sorted(file.stem for file in TOOLS.glob("*.py")))
def test_tool_is_the_command(tool):
    done = run_python(TOOLS / f"{tool}.py", "--help")
    command = {"convert_weights": "convert"}.get(tool, tool.replace("_", "-"))
    usage = f"{tool}.py" if tool in ("check_parity", "fetch_emoji") else f"mmcgan {command}"  # of a checkout
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {usage} [-h]")


def test_abbreviated_options_are_refused(capsys):
    with pytest.raises(SystemExit):
        command_parser("train").parse_args(["x", "--res"])
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


def test_check_config_without_a_run_tries_the_networks_and_does_not_train(tmp_path, capsys, monkeypatch):
    # valid for every signature, but the network refuses the size when it is built
    path = write_example(tmp_path, 'train_dataloader["dataset"]["image_size"] = 17\nval_dataloader = None\n')
    assert main(["check-config", "--no-run", str(path)]) == 1
    assert "image_size must be" in capsys.readouterr().out

    def train(config):
        raise AssertionError("trained")

    monkeypatch.setattr("mmcgan.apis.check.run_tiny_step", train)
    assert main(["check-config", "--no-run", str(write_example(tmp_path))]) == 0
    assert main(["check-config", str(write_example(tmp_path))]) == 1


def test_exported_weights_sample_and_test_like_the_checkpoint(run, capsys):
    checkpoint, config = str(run / "work" / "iter_2.pth"), str(run / "example.py")
    exported = str(run / "shared" / "tiny.safetensors")
    assert main(["export-weights", checkpoint, exported, "--command-line", "mmcgan train example.py"]) == 0
    for weights, out in ((["--out", "a"], exported), (["--out", "b"], checkpoint)):
        assert main(["sample", out, "--num", "4", weights[0], str(run / weights[1])]) == 0
    assert (run / "a.grid.png").read_bytes() == (run / "b.grid.png").read_bytes()
    for weights in (exported, checkpoint):
        result, work = run / "result.json", str(run / "test")
        assert main(["test", config, weights, "--json", str(result), "--work-dir", work]) == 0
        metrics = json.loads(result.read_text())["metrics"]
        if weights == exported:
            first = metrics
    assert metrics == first and set(metrics) == {"conditional_accuracy"}
    entry = json.loads((run / "shared" / "index.json").read_text())["tiny"]
    assert entry["iteration"] == 2 and entry["classes"] == [str(digit) for digit in range(10)]
    assert entry["license"] is None  # nobody said one
    other = str(run / "shared" / "other.safetensors")
    assert main(["export-weights", checkpoint, other, "--licence", "CC-BY-4.0, by us"]) == 0
    assert json.loads((run / "shared" / "index.json").read_text())["other"]["license"] == "CC-BY-4.0, by us"
    assert main(["export-weights", checkpoint, exported]) == 2
    assert "exists" in capsys.readouterr().err


def test_listed_models_say_what_they_are_asked_for(capsys):
    assert main(["list"]) == 0
    said = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    for name, what in {
        "omnigan_biggan_digits-16": "16 x 16, 10 classes, 38,400 images seen",
        "icgan-long_biggan_fashion-mnist-32": "32 x 32, instances, 896,000 images seen",
        "icgan-long_stylegan2_emoji-32": "32 x 32, instances, 416,000 images seen",
        "spade-omni_scenes-64": "64 x 64, label maps of 11 classes, 3,200 images seen",
        "omnigan-multi-label_biggan_two-domain-digits-16": "16 x 16, attributes digit x domain, 153,600",
    }.items():
        assert said[name].startswith(what), said[name]


def test_a_generator_with_settings_of_its_own_is_listed_by_its_classes():
    assert asked_of({"generator": {"kinds": 2}, "classes": ["cat", "dog"]}) == "2 classes"
    assert asked_of({"generator": {"num_classes": 0}, "classes": None}) == "no classes"
