"""Claims by command: what is shared, what is missing, what goes on, what the page says."""

import json

import pytest

from mmcgan.claims import registry, runs
from mmcgan.claims.claim import Arm, Claim, Evaluated, Logged, Preparation, Training
from mmcgan.claims.registry import all_claims, register_claim
from mmcgan.claims.runs import Run, missing_steps, wanted_runs
from mmcgan.cli import main
from mmcgan.config import ConfigError, load_config, parse_options

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
    run.checkpoint.touch()


@pytest.fixture
def one_claim(monkeypatch):
    claim = make_claim()
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    return claim


@pytest.mark.parametrize("name", list(all_claims()))
def test_every_training_of_every_claim_can_be_configured(name, tmp_path):
    claim = all_claims()[name]
    assert claim.statement.endswith(".") and claim.source and claim.published
    for source in {
        arm.source.config: arm.source for arm in claim.arms if isinstance(arm.source, Training)
    }.values():
        run = Run(source, 1, 0.5, tmp_path)
        if source.needs:  # all that is wrong is that they are not there
            with pytest.raises(ConfigError, match=f"(?s)1 problem.*{tmp_path}") as found:
                load_config(source.config, parse_options(run.option_texts()))
            assert "is missing" in str(found.value)
            continue
        config = load_config(source.config, parse_options(run.option_texts()))
        assert config.randomness.seed == 1
        assert config.train_cfg.max_iters == run.iterations


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
    assert steps[0].command == ["list", f"{tmp_path}/x"]
    assert "--resume" not in steps[1].command
    (tmp_path / "store").touch()
    wanted.run.folder.mkdir(parents=True, exist_ok=True)
    (wanted.run.folder / "iter_50.pth").touch()
    (training_step, _) = missing_steps(wanted)
    assert "--resume" in training_step.command, "an interrupted training goes on"


def test_a_failed_run_is_named_and_the_others_go_on(one_claim, tmp_path, monkeypatch, capfd):
    done = []

    def perform(step):
        done.append(step.run.source.config)
        if "omnigan" in step.run.source.config:
            raise OSError(f"{step.run.folder}: it failed")
        finish(step.run, 2.0)

    monkeypatch.setattr(runs, "perform", perform)
    assert main(["claims", "run", "--seeds", "0", "--out", str(tmp_path)]) == 1
    found = capfd.readouterr()
    assert len(done) == 2
    assert "it failed" in found.err and "omnigan" in found.err
    assert "min left" in found.out


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
    Run(OMNI, 0, 1.0, tmp_path).checkpoint.unlink()
    finish(Run(ACGAN, 0, 1.0, tmp_path), 3.0)
    main(["claims", "--out", str(tmp_path)])
    assert "not run" in capsys.readouterr().out


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


def test_a_real_training_is_made_and_found(one_claim, tmp_path, monkeypatch):
    small = Training(
        "omnigan_biggan_digits-16", 2, evaluations=1, options={"val_dataloader.dataset.size": 500}
    )
    claim = make_claim(better=small, worse=Training(**{**vars(small), "iterations": 1}))
    monkeypatch.setattr(registry, "all_claims", lambda: {claim.name: claim})
    assert main(["claims", "run", "--seeds", "0", "--out", str(tmp_path)]) == 0
    assert runs.figure_of(Run(small, 0, 1.0, tmp_path), FID) > 0
    assert runs.seconds_of(Run(small, 0, 1.0, tmp_path)) > 0
