"""Claims by command: what is shared, what is missing, what goes on, what the page says."""

import json
import subprocess
import sys

import pytest

from mmcgan.claims import registry, runs
from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Evaluated, Figure, Logged, Measured
from mmcgan.claims.measures.mixture import fitted
from mmcgan.claims.registry import register_claim
from mmcgan.claims.run import Run
from mmcgan.claims.runs import missing_steps, wanted_runs
from mmcgan.claims.source import Experiment, Preparation, Shipped, Source, Training
from mmcgan.cli import main

FID = Logged("fid")
OMNI, ACGAN = Training("omnigan_biggan_digits-16", 100), Training("acgan_biggan_digits-16", 100)


def make_claim(name="try", better=OMNI, worse=ACGAN, figure=FID):
    return Claim(
        name, "omni is better", "a paper", "1 : 2", Arm("omni", better, figure), Arm("ac", worse, figure)
    )


def finish(run, fid):
    """Leave behind what a training leaves."""
    log = run.folder / "20260101_000000" / "vis_data" / "scalars.json"
    log.parent.mkdir(parents=True)
    lines = [{"fid": fid * 2, "step": run.iterations // 2}, {"fid": fid, "step": run.iterations}]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run.source.checkpoint(run).touch()


@pytest.fixture
def one_claim(monkeypatch):
    claim = make_claim()
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    return claim


def test_claims_share_runs_and_the_first_seed_comes_first(tmp_path):
    pair = [make_claim("one"), make_claim("two", better=ACGAN, worse=OMNI, figure=Logged("fid", "lowest"))]
    wanted = wanted_runs(pair, [0, 1], 1.0, tmp_path)
    assert [entry.run.seed for entry in wanted] == [0, 0, 1, 1]
    assert all(set(entry.figures) == {FID, Logged("fid", "lowest")} for entry in wanted)


@pytest.mark.parametrize(
    "other",
    [
        Training("acgan_biggan_digits-16", 100),
        Training("omnigan_biggan_digits-16", 101),
        Training("omnigan_biggan_digits-16", 100, options={"model.generator.base_channels": 4}),
        Training("omnigan_biggan_digits-16", 100, needs=(Preparation("store", ("list",)),)),
    ],
)
def test_whatever_changes_a_training_makes_another_run(other, tmp_path):
    assert Run(other, 0, 1.0, tmp_path).folder != Run(OMNI, 0, 1.0, tmp_path).folder
    assert Run(OMNI, 0, 1.0, tmp_path).folder == Run(OMNI, 0, 1.0, tmp_path).folder


def test_steps_are_what_is_missing_in_order(tmp_path):
    training = Training("omnigan_biggan_digits-16", 100, needs=(Preparation("store", ("list", "{out}/x")),))
    claim = make_claim(better=training, figure=Evaluated("recall", ("--num", "10")))
    wanted = wanted_runs([claim], [0], 1.0, tmp_path)[0]
    steps = list(missing_steps(wanted))
    assert [step.what for step in steps] == ["making store", "training for 100 updates", "testing recall"]
    assert steps[0].command == ("list", f"{tmp_path}/x")
    assert "--resume" not in steps[1].command
    (tmp_path / "store").touch()
    wanted.run.folder.mkdir(parents=True, exist_ok=True)
    (wanted.run.folder / "iter_50.pth").touch()
    (training_step, _) = missing_steps(wanted)
    assert "--resume" in training_step.command, "an interrupted training goes on"


def test_a_failed_run_is_named_and_the_others_go_on(one_claim, tmp_path, monkeypatch, capfd):
    done = []

    def perform(step):
        done.append(step.run.source.title)
        if "omnigan" in step.run.source.title:
            raise OSError(f"{step.run.folder}: it failed")
        finish(step.run, 2.0)

    monkeypatch.setattr(runs, "perform", perform)
    assert main(["claims", "run", "--seeds", "0", "--out", str(tmp_path)]) == 1
    found = capfd.readouterr()
    assert len(done) == 2
    assert "it failed" in found.err and "omnigan" in found.err
    assert "min left" in found.out


def test_a_training_that_was_stopped_is_not_done(one_claim, tmp_path, monkeypatch, capfd):
    """It ends with status 0, as every run that is asked to stop."""
    stopped = []

    def perform(step):
        stopped.append(step.run)
        if len(stopped) > 1:
            finish(step.run, 2.0)

    monkeypatch.setattr(runs, "perform", perform)
    command = ["claims", "run", "--seeds", "0", "--out", str(tmp_path)]
    assert main(command) == 1
    found = capfd.readouterr()
    assert f"{stopped[0].folder}: stopped before its end; the same command goes on with it" in found.err
    assert "[1/2]" in found.out and "1/2] omnigan_biggan_digits-16, seed 0: done" not in found.out
    assert main(command) == 0
    assert [run.folder for run in stopped] == [stopped[0].folder, stopped[1].folder, stopped[0].folder]


@pytest.mark.broad
def test_what_has_come_out_can_be_looked_at_while_more_is_trained(one_claim, tmp_path, monkeypatch, capfd):
    """Another process lists and reports; another one that trains is kept away."""
    seen = []

    def perform(step):
        for action in ("list", "report", "run") if not seen else ():
            command = [sys.executable, "-m", "mmcgan", "claims", action, "tac-fits-the-mixture"]
            command += ["--out", str(tmp_path)]
            seen.append(subprocess.run(command, capture_output=True, text=True, check=False, timeout=100))
        raise OSError("enough")

    monkeypatch.setattr(runs, "perform", perform)
    main(["claims", "run", "--seeds", "0", "--out", str(tmp_path)])
    listed, reported, ran = seen
    assert listed.returncode == 0 and "not run" in listed.stdout
    assert reported.returncode == 0 and "page: " in reported.stdout
    assert ran.returncode == 2 and "is in use by process" in ran.stderr


def test_the_list_says_with_which_shares_a_folder_was_run(one_claim, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(runs, "perform", lambda step: finish(step.run, 2.0))
    for share in ("0.25", "0.5", "0.25"):
        assert main(["claims", "run", "--seeds", "0", "--share", share, "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    main(["claims", "--out", str(tmp_path)])
    listed = capsys.readouterr().out
    assert "not run" in listed
    assert f"{tmp_path} has runs of --share 0.25 and --share 0.5 too" in listed
    main(["claims", "--share", "0.25", "--seeds", "0", "--out", str(tmp_path)])
    listed = capsys.readouterr().out
    assert "not run" not in listed and "has runs of --share 0.5 too" in listed
    (tmp_path / "shares.json").write_text("{}")
    assert main(["claims", "--out", str(tmp_path)]) == 2
    assert "shares.json" in capsys.readouterr().err


def test_the_page_shows_figures_verdict_and_picture(one_claim, tmp_path, capsys):
    for seed in range(3):
        finish(Run(OMNI, seed, 1.0, tmp_path), 1.0 + 0.1 * seed)
        finish(Run(ACGAN, seed, 1.0, tmp_path), 3.0 + 0.2 * seed)
    assert main(["claims", "--out", str(tmp_path)]) == 0
    assert "try  holds: 1.1 ± 0.1 against 3.2 ± 0.2, 3 seeds" in capsys.readouterr().out
    assert main(["claims", "report", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "claims.md").read_text()
    assert "**holds**" in page and "1, 1.1, 1.2" in page and "](pictures/try.png)" in page
    assert (tmp_path / "pictures" / "try.png").stat().st_size > 1000
    (record,) = json.loads((tmp_path / "claims.json").read_text())
    assert record["figures"]["ac"] == {"0": 3.0, "1": 3.2, "2": 3.4}


def test_an_unfinished_training_does_not_count(one_claim, tmp_path, capsys):
    finish(Run(OMNI, 0, 1.0, tmp_path), 1.0)
    OMNI.checkpoint(Run(OMNI, 0, 1.0, tmp_path)).unlink()
    finish(Run(ACGAN, 0, 1.0, tmp_path), 3.0)
    main(["claims", "--out", str(tmp_path)])
    assert "not run" in capsys.readouterr().out
    main(["claims", "report", "--out", str(tmp_path)])
    assert "**not run**" in (tmp_path / "claims.md").read_text()


def test_the_page_says_what_a_claim_costs_that_was_not_run(tmp_path, monkeypatch):
    claim = Claim("try", "it is.", "a paper", "-", *make_claim().arms, minutes=7.5)
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    main(["claims", "report", "--out", str(tmp_path)])
    page = (tmp_path / "claims.md").read_text()
    assert "**not run**, 7.5 min a seed" in page and "## try" not in page


def test_mistakes_are_named(tmp_path, capsys):
    for arguments, text in (
        (["list", "truncation-fidelity-bigan"], "truncation-fidelity-biggan"),
        (["run", "--share", "0"], "--share 0.0"),
        (["run", "--share", "nan"], "--share must be a finite number, got nan"),
        (["run", "--seeds", "1", "1"], "--seeds [1, 1]"),
    ):
        assert main(["claims", *arguments, "--out", str(tmp_path)]) == 2
        assert text in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_two_claims_of_one_name_are_refused(monkeypatch):
    monkeypatch.setattr(registry, "_CLAIMS", {})
    register_claim(make_claim())
    with pytest.raises(ValueError, match="two claims are called 'try'"):
        register_claim(make_claim())


def test_claims_of_plugins_are_found(monkeypatch):
    theirs = make_claim("brighter")
    monkeypatch.setattr(registry, "_CLAIMS", dict(registry._CLAIMS))
    monkeypatch.setattr(registry, "load_plugins", lambda: register_claim(theirs))
    assert registry.find_claims(["brighter"]) == [theirs]


@pytest.mark.broad
def test_a_real_training_is_made_and_found(one_claim, tmp_path, monkeypatch):
    small = Training(
        "omnigan_biggan_digits-16", 2, evaluations=1, options={"val_dataloader.dataset.size": 500}
    )
    claim = make_claim(better=small, worse=Training(**{**vars(small), "iterations": 1}))
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    assert main(["claims", "run", "--seeds", "0", "--out", str(tmp_path)]) == 0
    assert FID.value(Run(small, 0, 1.0, tmp_path)) > 0
    assert Run(small, 0, 1.0, tmp_path).seconds > 0


# --- what a plugin adds --------------------------------------------------------------------------
def doubled(run, by=2):
    """Stand for a measurement of a plugin's."""
    print("measuring", flush=True)
    return {"seed": run.seed * by, "budget": run.iterations}


def broken(run):
    """Stand for a measurement that fails."""
    raise ValueError("no such thing")


@pytest.mark.broad
def test_a_function_is_called_in_a_process_of_its_own(one_claim, tmp_path, monkeypatch):
    experiment = Experiment("counting", 10)
    arms = (Arm(f"by {by}", experiment, Measured("seed", doubled, {"by": by})) for by in (2, 5))
    claim = Claim("try", "it counts.", "a plugin", "-", *arms)
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    command = ["claims", "run", "--seeds", "3", "--share", "0.5", "--out", str(tmp_path)]
    assert main(command) == 0
    run = Run(experiment, 3, 0.5, tmp_path)
    assert [arm.figure.value(run) for arm in claim.arms] == [6.0, 15.0]
    assert run.found(claim.better.figure.asked) == {"seed": 6.0, "budget": 5.0}
    assert (run.folder / "output.txt").read_text().count("measuring") == 2
    assert not list(missing_steps(wanted_runs([claim], [3], 0.5, tmp_path)[0])), "asked once"


@pytest.mark.broad
def test_a_function_that_fails_is_named_with_its_log(one_claim, tmp_path, monkeypatch, capfd):
    arms = (Arm(name, Experiment(name, 1), Measured("seed", broken)) for name in ("a", "b"))
    claim = Claim("try", "it fails.", "a plugin", "-", *arms)
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    assert main(["claims", "run", "--seeds", "0", "--out", str(tmp_path)]) == 1
    assert "measuring seed ended with status 1" in capfd.readouterr().err
    assert "no such thing" in next(tmp_path.rglob("output.txt")).read_text()


def test_a_function_that_no_other_process_finds_is_refused():
    with pytest.raises(ValueError, match="top of a module"):
        Measured("x", lambda run: {})


class Constant(Figure):
    """A plugin's own kind of figure."""

    key, when = "three", "last"

    def value(self, run):
        return 3.0 + run.seed


class Nothing(Source):
    """A plugin's own kind of source."""

    title = "nothing"

    def place(self, share):
        return "nothing"


def test_other_kinds_of_sources_and_figures_are_as_good_as_ours(one_claim, tmp_path, monkeypatch, capsys):
    claim = Claim("try", "it is.", "a plugin", "-", *(Arm(n, Nothing(), Constant()) for n in ("a", "b")))
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    for action in ("run", "report"):
        assert main(["claims", action, "--out", str(tmp_path)]) == 0
    assert "undecided: 4 ± 1 against 4 ± 1" in capsys.readouterr().out
    assert "| a | - | three |" in (tmp_path / "claims.md").read_text()
    with pytest.raises(ValueError, match="nothing has no model"):
        list(Evaluated("fid").steps(Run(Nothing(), 0, 1.0, tmp_path)))


def test_a_shipped_model_that_is_replaced_is_another_run(tmp_path, monkeypatch):
    model = "omnigan_biggan_digits-16"
    before = Run(Shipped(model), 0, 1.0, tmp_path).folder
    monkeypatch.setattr("mmcgan.weights.own_index", lambda kind: {model: {"sha256": "0" * 64}})
    assert Run(Shipped(model), 0, 1.0, tmp_path).folder != before


def test_a_tests_own_settings_are_part_of_what_is_asked(tmp_path):
    asked = [Evaluated("fid", options={"test_dataloader.dataset.size": size}) for size in (100, 200)]
    run = Run(OMNI, 0, 1.0, tmp_path)
    steps = [next(figure.steps(run)) for figure in asked]
    assert steps[0].asks != steps[1].asks
    assert "test_dataloader.dataset.size=100" in steps[0].command


@pytest.mark.broad
def test_the_mixture_is_fitted_in_a_process_of_its_own(tmp_path):
    run = Run(Experiment("mixture", 2), 0, 1.0, tmp_path)
    run.folder.mkdir(parents=True)
    figure = Measured("variation", fitted, {"method": "reacgan-tac"})
    next(figure.steps(run)).perform()
    assert 0 < figure.value(run) <= 1
    assert (run.folder / "reacgan-tac" / "iter_2.pth").is_file(), "an interrupted one goes on from there"
