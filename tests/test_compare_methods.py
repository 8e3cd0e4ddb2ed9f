"""The benchmark that compares methods: order, resuming, failures, and the arithmetic of the table."""

import importlib.util
import json
import statistics
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "compare_methods.py"
# stands in for a training: logs an evaluation, and fails as often as the file `failures` says
TRAINING = """
import json, pathlib, sys
folder, seed, iterations = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with open(folder.parent.parent / "order.txt", "a") as order:
    order.write(f"{folder.parent.name} {seed}\\n")
failures = folder / "failures"
if failures.is_file() and int(failures.read_text()):
    failures.write_text(str(int(failures.read_text()) - 1))
    sys.exit(1)
(folder / "now" / "vis_data").mkdir(parents=True)
record = {"fid": 10.0 + 2 * seed, "inception_score": 5.0, "conditional_accuracy": 0.5, "step": iterations}
(folder / "now" / "vis_data" / "scalars.json").write_text(json.dumps(record) + "\\n")
"""


@pytest.fixture
def compare(monkeypatch):
    spec = importlib.util.spec_from_file_location("compare_methods", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    command = lambda run: [  # noqa: E731
        *(sys.executable, "-c", TRAINING, str(run.folder), str(run.seed), str(run.iterations))
    ]
    monkeypatch.setattr(module.Run, "command", command)
    # signals belong to the test runner
    monkeypatch.setattr(module.signal, "signal", lambda *_: None)
    return module


METHODS = ["acgan_biggan_digits-16", "omnigan_biggan_digits-16"]


def arguments(out, *more, methods=METHODS, iterations=7):
    return [*methods, "--iterations", str(iterations), "--out", str(out), *more]


def test_all_methods_run_with_one_seed_before_the_next(compare, tmp_path, capsys):
    assert compare.main(arguments(tmp_path, "--seeds", "0", "3")) == 0
    order = (tmp_path / "order.txt").read_text().splitlines()
    assert order == [f"{method} {seed}" for seed in (0, 3) for method in METHODS]
    row = f"| {METHODS[0]} | 2 | 13.00 ± {statistics.stdev([10, 16]):.2f} | 5.00 ± 0.00 | 50.00 ± 0.00 % |"
    assert row in (tmp_path / "table.md").read_text()
    assert row in capsys.readouterr().out
    assert json.loads((tmp_path / "table.json").read_text())["summary"][METHODS[1]]["fid"] == [10.0, 16.0]
    assert (tmp_path / "table.png").read_bytes().startswith(b"\x89PNG")


def test_finished_runs_are_left_alone(compare, tmp_path):
    compare.main(arguments(tmp_path, "--seeds", "0"))
    compare.main(arguments(tmp_path, "--seeds", "0", "1"))
    order = (tmp_path / "order.txt").read_text().splitlines()
    assert order == [f"{method} {seed}" for seed in (0, 1) for method in METHODS]


def test_another_budget_is_refused(compare, tmp_path):
    compare.main(arguments(tmp_path, "--seeds", "0"))
    with pytest.raises(ValueError, match="is of 7 iterations, --iterations asks for 8: choose another --out"):
        compare.main(arguments(tmp_path, "--seeds", "0", iterations=8))


@pytest.mark.parametrize(("failures", "status"), [(1, 0), (2, 1)])
def test_a_failed_run_is_tried_once_more(compare, tmp_path, failures, status):
    folder = tmp_path / METHODS[0] / "seed_0"
    folder.mkdir(parents=True)
    (folder / "failures").write_text(str(failures))
    assert compare.main(arguments(tmp_path, "--seeds", "0")) == status
    order = (tmp_path / "order.txt").read_text().splitlines()
    assert order == [f"{METHODS[0]} 0"] * 2 + [f"{METHODS[1]} 0"], "the others run all the same"
    assert (folder / "result.json").is_file() == (status == 0)


def test_one_seed_has_no_deviation_and_a_missing_figure_a_dash(compare):
    assert compare.cell("fid", [3.14159]) == "3.14"
    assert compare.cell("conditional_accuracy", [0.25]) == "25.00 %"
    assert compare.cell("fid", []) == "-"


def test_a_checkpoint_makes_the_command_resume(tmp_path):
    spec = importlib.util.spec_from_file_location("compare_methods_plain", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    run = module.Run(Path("config.py"), 2, 1000, 500, tmp_path)
    assert "--resume" not in run.command()
    (tmp_path / "iter_100.pth").touch()
    command = run.command()
    assert "--resume" in command
    assert {"randomness.seed=2", "train_cfg.max_iters=1000"} <= set(command)
    del sys.modules[spec.name]
