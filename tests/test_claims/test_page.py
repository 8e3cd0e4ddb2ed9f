"""The page of claims in the docs names every claim, and is written from finished runs."""

from types import SimpleNamespace

import pytest

from mmcgan.claims import page
from mmcgan.claims.claim import Arm, Claim
from mmcgan.claims.figure import Logged
from mmcgan.claims.page import Outcome, number
from mmcgan.claims.registry import find_claims
from mmcgan.claims.source import Training
from mmcgan.claims.verdict import decide
from tests.tools_of_developers import tool_fixture

tool = tool_fixture("claims_page")


def test_every_claim_stands_on_the_page(tool):
    assert tool.absent() == [], "run python tools/dev/claims_page.py --out DIR"


def test_parts_are_replaced_and_words_between_them_are_kept(tool):
    page = "before\n<!-- a -->\nold\n<!-- end of a -->\nwords\n"
    assert tool.replaced(page, "a", "new") == "before\n<!-- a -->\n\nnew\n\n<!-- end of a -->\nwords\n"
    with pytest.raises(ValueError, match="lacks"):
        tool.replaced(page, "b", "new")


def test_the_share_with_the_most_seeds_counts(tool, monkeypatch, tmp_path):
    (claim,) = find_claims(["average-helps"])
    seeds = {1.0: 1, 0.4: 3, 0.2: 3}

    class Verdict:
        def __init__(self, share):
            self.seeds = range(seeds[share])

    class Found:
        def __init__(self, share):
            self.verdict = Verdict(share)

    monkeypatch.setattr(tool, "outcome_of", lambda claim, seeds, share, out: Found(share))
    assert tool.best_outcome(claim, [0.2, 0.4, 1.0], tmp_path)[0] == 0.4


def test_what_was_found_elsewhere_stays_on_the_page(tool, monkeypatch, tmp_path):
    page, asked = tmp_path / "claims.md", []
    page.write_text(tool.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(tool, "PAGE", page)
    monkeypatch.setattr(
        tool, "best_outcome", lambda claim, shares, out: asked.append(claim) or (1.0, Nothing)
    )
    before = page.read_text(encoding="utf-8")
    tool.write(tmp_path, [1.0])
    assert asked and page.read_text(encoding="utf-8") == before


class Nothing:
    """An outcome of no runs."""

    class verdict:
        seeds = ()


@pytest.mark.parametrize(
    ("seeds", "share", "replaced"), [((0, 1), 1.0, False), ((0, 1, 2), 0.1, False), ((0, 1, 2), 1.0, True)]
)
def test_more_seeds_replace_what_the_page_says_and_fewer_or_shorter_runs_do_not(
    tool, monkeypatch, tmp_path, seeds, share, replaced
):
    name = "average-helps"
    page = tmp_path / "claims.md"
    page.write_text(tool.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(tool, "PAGE", page)
    assert tool.entries_of(page.read_text(encoding="utf-8"))[name].seeds == 3
    (claim,) = find_claims([name])
    figures = {arm.label: dict.fromkeys(seeds, 124.0) for arm in claim.arms}
    verdict = decide(claim, figures[claim.better.label], figures[claim.worse.label])
    updates = {arm.label: 150 for arm in claim.arms}
    found = Outcome(claim, figures, {arm.label: {} for arm in claim.arms}, verdict, updates, 60.0)
    others = (1.0, Nothing)
    monkeypatch.setattr(
        tool, "best_outcome", lambda claim, shares, out: (share, found) if claim.name == name else others
    )
    before = tool.entries_of(page.read_text(encoding="utf-8"))
    tool.write(tmp_path, [1.0])
    after = tool.entries_of(page.read_text(encoding="utf-8"))
    assert (": 124 ±" in after[name].row) is replaced and set(after) == set(before)
    assert all(after[other] == before[other] for other in before if other != name)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.01234, 3, "0.0123"),
        (97.04, 3, "97"),
        (999.6, 3, "1,000"),
        (107.2, 2, "107"),
        (-0.0072, 3, "-0.0072"),
    ],
)
def test_a_figure_is_written_without_exponents(value, digits, text):
    assert number(value, digits) == text


def test_two_readings_of_one_run_are_one_line_under_both_names():
    one, other = {0: {1: 0.5, 2: 0.7}}, {0: {1: 0.4, 2: 0.7}}
    assert page._lines({"last": one, "first": one}) == [("last; first", one)]
    assert page._lines({"ours": one, "theirs": other}) == [("ours", one), ("theirs", other)]


def test_figures_of_another_kind_are_in_the_table_and_not_on_the_axis():
    source, series = Training("omnigan_biggan_digits-16", 100), {0: {1: 0.5, 2: 0.7}}
    arms = [Arm(label, source, Logged(key)) for label, key in (("a", "fid"), ("b", "fid"), ("c", "fid"))]
    accuracy = Arm("right class", source, Logged("conditional_accuracy"))
    claim = Claim("try", "It is.", "a paper", "-", arms[0], arms[1], also=(arms[2], accuracy))
    outcome = SimpleNamespace(claim=claim, curves={arm.label: series for arm in claim.arms})
    assert list(page._on_one_axis(outcome)) == ["a", "b", "c"]


def test_claims_that_were_not_run_are_listed_with_their_minutes(tool):
    (claim,) = find_claims(["average-helps"])
    assert f"| {claim.name} |" in tool.missing_table([claim])
    assert tool.missing_table([]) == "Every claim that mmcgan registers has been run."
