import json

import pytest
from PIL import Image

from mmcgan.apis.testing import evaluate, evaluation_only
from mmcgan.cli import main
from mmcgan.config import load_config
from mmcgan.evaluation.report.report import direction, formatted, summarize, write_json, zoo_row
from mmcgan.evaluation.report.sweep import Sweep
from mmcgan.evaluation.statistics.batch_statistics import BatchStatistics

NAME = "biggan_digits-16"


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCGAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """One sweep of a shipped model over the command line, shared by the tests that read it."""
    folder = tmp_path_factory.mktemp("sweep")
    out, picture = folder / "report.json", folder / "curves.png"
    arguments = ["test", NAME, "--num", "80", "--seeds", "0", "1", "--truncations", "0.3", "none"]
    files = ["--json", str(out), "--picture", str(picture), "--work-dir", str(folder / "work")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMCGAN_CACHE", str(folder / "cache"))
        assert main([*arguments, *files]) == 0
    return json.loads(out.read_text()), picture


def test_shipped_weights_are_found_by_the_configs_name(swept):
    report, _ = swept
    assert report["config"] == NAME and report["checkpoint"].endswith(f"{NAME}.safetensors")
    assert len(report["checkpoint_sha256"]) == 64


def test_a_sweep_reports_mean_and_deviation_over_seeds(swept):
    entries = swept[0]["sweep"]
    assert [entry["truncation"] for entry in entries] == [0.3, None]
    for entry in entries:
        assert entry["seeds"] == [0, 1] and len(entry["runs"]) == 2
        runs = [run["fid"] for run in entry["runs"]]
        assert runs[0] != runs[1]
        assert entry["summary"]["fid"]["mean"] == pytest.approx(sum(runs) / 2)
        assert entry["summary"]["fid"]["std"] == pytest.approx(abs(runs[0] - runs[1]) / 2**0.5)


def test_truncation_costs_variety(swept):
    narrow, whole = swept[0]["sweep"]
    assert narrow["summary"]["fid"]["mean"] > whole["summary"]["fid"]["mean"]


def test_every_setting_is_in_the_report(swept):
    report = swept[0]["sweep"][0]["reports"][1]
    assert report["conditions"]["seed"] == 1 and report["conditions"]["size"] == 80
    assert report["conditions"]["latent_sampler"] == "NormalLatent"
    assert report["conditions"]["truncation"] == 0.3
    assert report["generated_images"] == 80 and report["extractor"]["weights_sha256"]
    assert {"torch", "mmcgan"} <= set(swept[0]["packages"])
    assert swept[0]["batch_statistics"] == {"rule": "running"}


def test_the_picture_is_a_picture_and_reports_can_be_drawn_together(swept, tmp_path):
    assert Image.open(swept[1]).size[0] > 1000
    report = tmp_path / "a.json"
    report.write_text(json.dumps(swept[0]))
    out = tmp_path / "both.png"
    assert main(["plot-evaluations", f"one={report}", f"two={report}", "--out", str(out)]) == 0
    assert Image.open(out).format == "PNG"


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["nothing.json"], "no report nothing.json"),
        (["{broken}"], "not a report of `mmcgan test --json`"),
        (["{report}", "--keys", "kidd"], "has no figures ['kidd']"),
        (["{report}", "--out", "x.jpg"], "must be named *.png"),
    ],
)
def test_reports_that_cannot_be_drawn_are_named(swept, tmp_path, capsys, arguments, phrase):
    files = {"broken": tmp_path / "broken.json", "report": tmp_path / "report.json"}
    files["broken"].write_text("{}")
    files["report"].write_text(json.dumps(swept[0]))
    given = [argument.format(**files) for argument in arguments]
    assert main(["plot-evaluations", *given]) == 2
    assert phrase in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--metrics", "fidd"], "no metric 'fidd'. Did you mean 'fid'"),
        (["--protocol", "studiogan"], "no protocol 'studiogan'"),
        (["--truncations", "big"], "--truncations big: give numbers, or none"),
        (["--batch-statistics", "standing"], "rule='standing': choose one of"),
        (["--num", "0"], "--num must be at least 1"),
        (["--real-split", "tset"], "split must be one of train, test, all; got 'tset'"),
        (["--truncations", "nan"], "truncation must be a finite number of at least 0, got nan"),
        (["--truncations", "none", "inf"], "truncation must be a finite number of at least 0, got inf"),
        (["--picture", "x.jpg"], "must be named *.png"),
        (["nowhere.pth"], "no checkpoint nowhere.pth"),
    ],
)
def test_mistakes_are_found_before_any_work(arguments, phrase, capsys, tmp_path):
    work = tmp_path / "work"
    assert main(["test", NAME, *arguments, "--work-dir", str(work)]) == 2
    assert phrase in capsys.readouterr().err
    assert not work.exists()


def test_a_config_without_shipped_weights_needs_a_checkpoint(capsys):
    assert main(["test", "acgan_biggan_digits-16"]) == 2
    error = capsys.readouterr().err
    assert "no weights ship for acgan_biggan_digits-16" in error and NAME in error


@pytest.mark.parametrize("rule", ["average", "batch"])
def test_batch_statistics_change_the_images_and_are_reported(rule, swept, tmp_path):
    cfg = load_config(NAME, {"test_dataloader.dataset.size": 80})
    evaluation_only(cfg)
    report = evaluate(cfg, None, tmp_path, Sweep(statistics=BatchStatistics(rule, steps=2, batch_size=32)))
    assert report["batch_statistics"]["rule"] == rule
    running = swept[0]["sweep"][1]["runs"][0]["fid"]
    assert report["sweep"][0]["runs"][0]["fid"] != pytest.approx(running, rel=1e-6)


def test_a_protocol_decides_what_is_evaluated(tmp_path, capsys):
    assert main(["test", NAME, "--protocol", "tf-2015", "--work-dir", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "weights-inception-2015-12-05" in error and "Nothing is downloaded" in error


def test_numbers_are_written_with_their_deviation():
    summary = summarize([{"fid": 1.0}, {"fid": 3.0}])
    assert formatted(summary["fid"]) == "2 ± 1.4"
    assert formatted(summarize([{"fid": 12.3456}])["fid"]) == "12.35"


def test_a_row_for_the_zoo():
    row = zoo_row("name", "digits 16", {"fid": 2.345, "conditional_accuracy": 0.5}, 5000, "abcdef0123456789")
    assert row == "| `name` | digits 16 | 2.35 |  | 50.00 % | 5,000 | `abcdef012345` |"


def test_arrows_point_to_the_better_side():
    lower, higher = "fid small/fid intra_fid fid_few kid swd_16 ms_ssim", "f_1/8 density lpips_diversity cas"
    arrows = {"↓": lower, "↑": higher}
    for arrow, names in arrows.items():
        assert {name: direction(name) for name in names.split()} == dict.fromkeys(names.split(), arrow)
    assert direction("inception_score") == "↑" and direction("inception_score_std") == ""


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    out = tmp_path / "report.json"
    write_json(out, {"fid": float("nan"), "kid": 1.5})
    assert json.loads(out.read_text()) == {"fid": None, "kid": 1.5}  # NaN is no JSON
    with pytest.raises(TypeError):
        write_json(out, {"fid": object()})
    assert json.loads(out.read_text())["kid"] == 1.5 and len(list(tmp_path.iterdir())) == 1
