"""Figures of metrics that are not here: pages read from the run what there is and which way is better."""

import json
from typing import ClassVar

import pytest
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS

from mmcgan.apis.training import train
from mmcgan.cli import main
from mmcgan.comparison.report import REPORT, read_report, report_page
from mmcgan.comparison.runs import read_run
from mmcgan.comparison.starts import read_figures
from mmcgan.evaluation import GenerationMetric
from mmcgan.figure_directions import better
from mmcgan.registry import GENERATION_METRICS
from tests.test_comparison.test_compare import make_run
from tests.test_engine.tiny_run import EVALUATION, tiny_config

FIGURES = {"crispness": "greater", "blur": "less", "zork": None, "part/zork": None, "waste": "less"}


class Declaring(GenerationMetric):
    better: ClassVar = {name: way for name, way in FIGURES.items() if way}

    def reset(self): ...

    def update(self, output, condition): ...

    def merge(self): ...

    def compute(self):
        return {}


@METRICS.register_module(force=True)
class StrangeFigures(BaseMetric):
    """Figures that grow with every evaluation."""

    rounds = 0

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        self.rounds += 1
        return {**{name: float(self.rounds) for name in FIGURES}, "zork_std": 0.5}


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A run whose metric was there in training and is gone; with the page that it ended with."""
    folder = tmp_path_factory.mktemp("run")
    GENERATION_METRICS.register_module(name="Declaring", module=Declaring, force=True)
    try:
        changes = dict(EVALUATION, val_evaluator=dict(type="StrangeFigures"))
        train(tiny_config(folder, default_hooks=dict(report=dict(type="ReportHook")), **changes))
    finally:
        GENERATION_METRICS.module_dict.pop("Declaring")
    assert better("crispness") is None, "this process does not know the metric any more"
    return folder, (folder / REPORT).read_text()


def rows_of(page):
    """Return figure -> the cells of its row of the page."""
    table = page.partition('id="figures"')[2].partition("<h2")[0]
    rows = [row.partition("</tr>")[0] for row in table.split("<tr>")[1:]]
    cells = [[cell.partition("</td>")[0] for cell in row.split("<td>")[1:]] for row in rows]
    return {row[0]: row[1:] for row in cells if row}


def test_a_run_records_its_figures_and_the_way_that_its_metrics_declared(strange):
    assert read_figures(strange[0]) == FIGURES, "and no spread of a figure that is there"


def test_the_page_that_is_made_again_elsewhere_says_what_the_first_said(strange):
    folder, first = strange
    assert rows_of(report_page(read_report(folder))) == rows_of(first)


@pytest.mark.parametrize(("name", "way"), FIGURES.items())
def test_a_figure_has_a_best_where_a_way_is_known_and_is_shown_anyway(strange, name, way):
    last, at, best, best_at, words, evaluations = rows_of(strange[1])[name]
    assert int(evaluations) > 1 and last == evaluations
    expected = {
        "greater": (last, at, "higher"),
        "less": ("1", None, "lower"),
        None: ("-", "-", "not declared"),
    }
    value, when, called = expected[way]
    assert (best, words) == (value, called) and when in (best_at, None)


def test_runs_side_by_side_have_figures_and_curves(strange, tmp_path):
    folder, _ = strange
    out = tmp_path / "page.html"
    runs = [f"one={folder}", f"other={folder}"]
    assert main(["compare", *runs, "--num", "0", "--out", str(out)]) == 0
    page = out.read_text()
    assert all(f"<th>{name}</th>" in page for name in FIGURES)
    assert page.count("data:image/svg+xml;base64,") == len(FIGURES)
    last, best = (page.partition(f"At {which} evaluation:")[2] for which in ("the last", "its best"))
    place = list(read_run("one", folder).figures()).index("zork")
    cells = [part.partition("</table>")[0].split("<tr>")[2].split("<td>")[3 + place] for part in (last, best)]
    assert cells[0][0].isdigit() and cells[1].startswith("-")


def test_a_run_of_before_has_the_figures_of_its_last_evaluation(tmp_path):
    folder = make_run(tmp_path / "run")
    start = folder / "20260101"
    with (start / "vis_data" / "scalars.json").open("a") as log:
        log.write(json.dumps({"zork": 3.5, "step": 2}) + "\n")
    assert "zork" not in read_run("run", folder).figures()
    (start / "evaluation.json").write_text(json.dumps(dict(iteration=2, figures=dict(zork=3.5, fid=2.0))))
    assert read_run("run", folder).figures() == ["fid", "recall", "zork"]
    assert rows_of(report_page(read_report(folder)))["zork"][:4] == ["3.5", "2", "-", "-"]


def test_what_one_start_knows_another_need_not(tmp_path):
    folder = make_run(tmp_path / "run")
    for start, ways in (
        ("20260101", {"zork": "less", "fid": None}),
        ("20260102", {"zork": None, "new": None}),
    ):
        (folder / start).mkdir(exist_ok=True)
        (folder / start / "figures.json").write_text(json.dumps(ways))
    assert read_figures(folder) == {"zork": "less", "fid": "less", "new": None}


@pytest.mark.parametrize("content", ["{", "[1]", '{"zork": "sideways"}', '{"zork": ["less"]}'])
def test_damaged_records_are_named(tmp_path, capsys, content):
    folder = make_run(tmp_path / "run")
    (folder / "20260101" / "figures.json").write_text(content)
    for command in (["report", str(folder)], ["compare", str(folder), "--out", str(tmp_path / "page.html")]):
        assert main(command) == 2
        assert "figures.json" in capsys.readouterr().err
    assert not (folder / REPORT).exists()
