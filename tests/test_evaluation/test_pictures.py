"""Pictures of sweeps: a line joins evaluations that differ in what its axis shows, and in nothing else."""

from itertools import product

import pytest
from matplotlib.figure import Figure

from mmcgan.evaluation.report.pictures import OPEN_END, draw_evaluations


def entries(truncations, scales):
    """Return a sweep as ``run_sweep`` orders it; every point has figures of its own."""
    return [
        dict(truncation=truncation, latent_scale=scale, summary=figures(10 * row + column))
        for row, scale in enumerate(scales)
        for column, truncation in enumerate(truncations)
    ]


def figures(number):
    """Return a summary in which the FID tells the evaluation and the Inception Score is a tenth."""
    values = {"fid": float(number), "inception_score": number / 10}
    return {key: dict(mean=value, std=0.0, runs=1) for key, value in values.items()}


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Return a function that draws models and returns the axes of the panels, without their pixels."""
    seen = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: seen.append(self))

    def draw(models):
        draw_evaluations(models, tmp_path / "picture.png")
        return seen.pop().axes

    return draw


def lines(axis):
    """Return the points of every line with a legend, by the legend."""
    handles, names = axis.get_legend_handles_labels()
    assert len(set(names)) == len(names)
    parts = [getattr(handle, "lines", (handle,))[0] for handle in handles]
    return {
        name: list(zip(*map(list, part.get_data()), strict=True))
        for name, part in zip(names, parts, strict=True)
    }


TRUNCATIONS = [(None,), (0.5,), (None, 0.5), (1.0, None, 0.2, 0.5), (0.2, 0.5)]
SCALES = [(None,), (1.5,), (1.0, 1.5), (2.0, 0.5, 1.0), (None, 1.5)]


@pytest.mark.parametrize(("truncations", "scales"), product(TRUNCATIONS, SCALES), ids=str)
def test_a_line_keeps_all_but_its_axis_and_runs_from_left_to_right(truncations, scales, drawn):
    sweep = entries(truncations, scales)
    axis = drawn({"model": sweep})[0]
    over = "latent_scale" if len(scales) > 1 and len(truncations) == 1 else "truncation"
    (fixed,) = {"latent_scale", "truncation"} - {over}
    of_figure = {entry["summary"]["fid"]["mean"]: entry for entry in sweep}
    found = lines(axis)
    assert len(found) == (1 if over == "latent_scale" else len(scales))
    for name, points in found.items():
        joined = [of_figure.pop(y) for _, y in points]
        (value,) = {entry[fixed] for entry in joined}
        assert name == ("model" if value is None else f"model, {texts(fixed)} {value:g}")
        places = [x for x, _ in points]
        assert places == sorted(set(places))
        assert all(x == entry[over] for x, entry in zip(places, joined, strict=True) if entry[over])
    assert not of_figure
    assert axis.get_xlabel().startswith("scale of latents" if over == "latent_scale" else "truncation")


def texts(field):
    """Return how a legend begins what is fixed."""
    return {"latent_scale": "latents x", "truncation": "truncation"}[field]


@pytest.mark.parametrize(("truncations", "scales"), product(TRUNCATIONS, SCALES), ids=str)
def test_no_two_points_of_the_trade_off_have_the_same_words(truncations, scales, drawn):
    sweep = entries(truncations, scales)
    if len(sweep) == 1:
        assert len(drawn({"model": sweep})) == 2  # no trade-off of a single point
        return
    axis = drawn({"model": sweep})[-1]
    words = {text.xy[1]: text.get_text() for text in axis.texts}
    assert len(set(words.values())) == len(words) == len(sweep)
    for entry in sweep:
        said = words[entry["summary"]["fid"]["mean"]]
        if entry["latent_scale"] is not None:
            assert f"x {entry['latent_scale']:g}" in said
        if entry["truncation"] is not None:
            assert said.startswith(f"{entry['truncation']:g}")
        elif len(truncations) > 1:
            assert said.startswith("none")


def test_models_with_other_thresholds_have_one_place_for_none(drawn):
    wide, narrow = entries((None, 2.0), (None,)), entries((None, 0.5), (None,))
    found = lines(drawn({"wide": wide, "narrow": narrow})[0])
    assert found["wide"][-1][0] == found["narrow"][-1][0] == 2.0 * OPEN_END


def test_a_sweep_of_scales_beside_one_of_truncations_is_not_drawn_on_its_axis(drawn):
    found = lines(drawn({"scales": entries((None,), (1.0, 1.5)), "cut": entries((None, 0.5), (None,))})[0])
    assert {name: len(points) for name, points in found.items()} == {
        "scales, latents x 1": 1,
        "scales, latents x 1.5": 1,
        "cut": 2,
    }
