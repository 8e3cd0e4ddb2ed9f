"""The page of claims in the docs names every claim, and is written from finished runs."""

import pytest

from mmcgan.claims.page import number
from mmcgan.claims.registry import find_claims
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
