"""What a tab lets one choose of a model decides its picture; what the model does not have is refused."""

import shlex

import numpy as np
import pytest
from PIL import Image

from mmcgan.cli import main
from mmcgan.demo.studio import Studio, load_models
from mmcgan.demo.tabs import compare, explore, mix, sample

DIGITS = "omnigan_biggan_digits-16"
ATTRIBUTES = "omnigan-multi-label_biggan_two-domain-digits-16"
#: what is chosen of each model, twice
CHOICES = {DIGITS: ("3", "7"), ATTRIBUTES: ("digit=3", "digit=7")}
STILL = [0.0] * explore.DIRECTIONS


@pytest.fixture(scope="module")
def models():
    return load_models(list(CHOICES))


@pytest.fixture
def studio(models, tmp_path):
    return Studio(models, tmp_path / "page")


def of_sample(studio, model, shown):
    return sample.make(studio, model, [shown], 2, 1, 0, 0)


def of_mix(kind, first):
    """Return the tab's work with the choice at the first or the second end."""

    def make(studio, model, shown):
        other = CHOICES[model.loaded.name][0]
        ends = (shown, other) if first else (other, shown)
        return mix.make(studio, model, kind, *ends, 3, 1, None, None)

    return make


def of_explore(studio, model, shown):
    return explore.make(studio, model, shown, 1, *STILL)


def of_compare(studio, model, shown):
    return compare.make(studio, model, model.loaded.name, [shown], 2, 1)


TABS = {
    "sample": of_sample,
    "from": of_mix(mix.CONDITION, True),
    "to": of_mix(mix.CONDITION, False),
    "both to": of_mix(mix.BOTH, False),
    "latent": of_mix(mix.LATENT, True),
    "explore": of_explore,
    "compare": of_compare,
}
ALL = [(tab, name) for tab in TABS for name in CHOICES]


def pixels(file):
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(("tab", "name"), ALL)
def test_two_choices_are_two_pictures(studio, tab, name):
    pictures = [TABS[tab](studio, studio.model(name), shown)[0] for shown in CHOICES[name]]
    assert not np.array_equal(*map(pixels, pictures))


@pytest.mark.parametrize(("tab", "name"), ALL)
@pytest.mark.parametrize("shown", ["rubbish", "digit=rubbish"])
def test_what_a_model_does_not_have_is_refused(studio, tab, name, shown):
    with pytest.raises(ValueError, match="rubbish"):
        TABS[tab](studio, studio.model(name), shown)


@pytest.mark.parametrize("tab", TABS)
def test_the_command_of_attributes_makes_the_same(studio, tab, tmp_path, monkeypatch):
    made = TABS[tab](studio, studio.model(ATTRIBUTES), "digit=7")
    line = made[-1].splitlines()[0]
    assert "--attributes" in line
    (tmp_path / "typed").mkdir()
    monkeypatch.chdir(tmp_path / "typed")
    assert main(shlex.split(line)[1:]) == 0
    pictures = [file for file in (tmp_path / "typed").iterdir() if file.suffix == ".png"]
    assert len(pictures) == 1
    shown = made[1] if tab == "explore" else made[0]
    assert np.array_equal(pixels(pictures[0]), pixels(shown))


def test_each_end_of_a_way_shows_what_was_chosen_for_it(studio):
    model = studio.model(ATTRIBUTES)
    for first, last in (("digit=3", "digit=7"), ("digit=7", "digit=3"), ("digit=3", "domain=textured")):
        *_, line = mix.make(studio, model, mix.CONDITION, first, last, 2, 1, None, None)
        assert f"--attributes {first} --to-attributes {last}" in line
    there = mix.make(studio, model, mix.CONDITION, "digit=3", "digit=7", 2, 1, None, None)
    back = mix.make(studio, model, mix.CONDITION, "digit=7", "digit=3", 2, 1, None, None)
    for frame, other in zip(there[2], reversed(back[2]), strict=True):
        assert np.array_equal(pixels(frame), pixels(other))


def test_models_that_share_no_choice_are_refused_before_one_works(studio):
    with pytest.raises(ValueError, match="no attribute group '3'"):
        compare.make(studio, studio.model(DIGITS), ATTRIBUTES, ["3"], 2, 1)
    assert not any(studio.folder.rglob("*.png"))
