"""Figures without a curve are drawn too: every claim has a picture, made elsewhere or not."""

import io
import re

import pytest
from PIL import Image

from mmcgan.claims.points import draw_points
from tests.tools_of_developers import tool_fixture

tool = tool_fixture("claims_page")

SECTION = """### a-claim

What it says. (Paper, Fig. 1.)

| arm | generator updates | figure | each seed | mean ± deviation |
|---|---|---|---|---|
| this, with | 1,000 | fid, best | 1,234, -0.5, 3e-05 | 1 ± 2 |
| that | - | rendered | 2, 3 | 2.5 ± 0.7 |
| a third | - | fid, best | - | - |
| a fourth | - | accuracy | 0.9 | 0.9 |

Difference: 1, interval 0 to 2: **holds**.
"""


@pytest.mark.parametrize("values", [[1.0], [0.0, -2.0], [1e-5, 3.0], [2.0, 2.0, 2.0]])
def test_figures_of_any_size_make_a_picture(values):
    picture = Image.open(io.BytesIO(draw_points("fid", {"this": values, "that": [1.0], "none": []})))
    assert picture.format == "PNG" and min(picture.size) > 80


def test_nothing_is_not_drawn():
    with pytest.raises(ValueError, match="no figures to draw"):
        draw_points("fid", {"this": []})


def test_figures_are_read_back_from_a_page(tool):
    key, arms = tool.figures_in(SECTION)
    assert key == "fid, best"
    assert arms == {"this, with": [1234.0, -0.5, 3e-05], "that": [2.0, 3.0], "a third": []}


def test_every_claim_of_the_page_has_its_picture(tool):
    page = tool.PAGE.read_text("utf-8")
    named = re.findall(r"^### ([\w-]+)$", page, re.MULTILINE)
    assert len(named) > 60
    for name in named:
        assert f"![{name}](images/claims/{name}.png)" in page
        assert (tool.IMAGES / f"{name}.png").is_file()
