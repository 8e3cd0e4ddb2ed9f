import inspect
import typing
from dataclasses import dataclass

import pytest
from torch import nn

from mmcgan.config.annotations import annotations_of
from mmcgan.option_groups import options_from, takes_options
from mmcgan.registry import BACKBONES, GENERATORS

MOST_ARGUMENTS = 12


@dataclass(frozen=True, kw_only=True)
class Colour:
    hue: float = 0.5
    dark: bool = False


class Painter(nn.Module):
    @takes_options
    def __init__(self, width: int, *, colour: Colour = Colour(dark=True), name: str = "x") -> None:
        super().__init__()
        self.made = (width, colour, name)


def test_fields_are_given_by_name_and_others_keep_the_default_of_the_group():
    assert Painter(3).made == (3, Colour(dark=True), "x")
    assert Painter(3, hue=0.1, name="y").made == (3, Colour(hue=0.1, dark=True), "y")


def test_a_group_can_be_given_as_a_whole_and_fields_go_first():
    assert Painter(3, colour=Colour(hue=0.2)).made[1] == Colour(hue=0.2)
    assert Painter(3, colour=Colour(hue=0.2), dark=True).made[1] == Colour(hue=0.2, dark=True)


def test_the_signature_and_the_types_have_the_fields_in_place_of_the_group():
    parameters = inspect.signature(Painter).parameters
    assert list(parameters) == ["width", "hue", "dark", "name"]
    assert parameters["dark"].default is True
    assert annotations_of(Painter) == {
        "width": int,
        "hue": float,
        "dark": bool,
        "name": str,
        "return": type(None),
    }


def test_an_unknown_name_is_refused_as_python_does():
    with pytest.raises(TypeError, match="unexpected keyword argument 'hu'"):
        Painter(3, hu=1)


def test_a_dict_of_options_with_an_unknown_key_is_refused_with_what_is_nearest():
    with pytest.raises(ValueError, match=r"colour: unknown option 'hui'.*hue"):
        options_from(Colour, "colour", {"hui": 1})


@pytest.mark.parametrize("registry", [GENERATORS, BACKBONES], ids=lambda registry: registry.name)
def test_no_network_of_ours_writes_down_more_than_twelve_arguments(registry):
    registry.import_from_location()
    ours = [kind for kind in registry.module_dict.values() if kind.__module__.startswith("mmcgan.")]
    assert len(ours) >= 7
    for kind in ours:
        written = inspect.signature(inspect.unwrap(typing.cast("type", kind).__init__)).parameters
        assert len(written) - 1 <= MOST_ARGUMENTS, kind.__name__
