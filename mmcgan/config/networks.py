"""Both networks as one, without memory for weights: what their parts only refuse, or leave out, together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from mmcgan import registry as r
from mmcgan.config.asked_conditions import condition_problems
from mmcgan.config.components import Node, parameters_of
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import answers
from mmcgan.optim.constructor import matching
from mmcgan.optim.players import PLAYERS
from mmcgan.structures import height_and_width
from mmcgan.suggestions import nearest

#: what a constructor refuses, whoever wrote it
REFUSALS = (ValueError, TypeError, LookupError, RuntimeError, AttributeError, OSError, ArithmeticError)
PLACES = "attention_resolutions"
#: parts of a model that have parameters of their own beside the networks
BESIDE = ("loss_modules", "regularizer_modules", "latent_move", "augment", "generator_ema")


def network_problems(config: Mapping[str, Any], nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield what keeps two networks of valid parts from being trained.

    To be asked only about a config in which nothing else is wrong.
    """
    from mmcgan.models.discriminator import Discriminator  # with all that a model is made of
    from mmcgan.models.gan import ConditionalGAN

    for node in nodes:
        yield from _places_without_a_map(node)
    whole = next((node for node in nodes if node.path == ("model",)), None)
    if whole is None or not isinstance(whole.component, type) or not answers(whole.component, ConditionalGAN):
        return  # somebody's own model: its networks are built by a rule of its own
    discriminator = _built(lambda: Discriminator(**whole.config["discriminator"]))
    if isinstance(discriminator, Exception):
        yield Problem("model.discriminator", " ".join(str(discriminator).split()))
        return
    patterns = list(_patterns(config.get("optim_wrapper")))
    generator = _built(lambda: r.GENERATORS.build(dict(whole.config["generator"])))
    if isinstance(generator, nn.Module):
        yield from condition_problems(whole.config, generator, discriminator)
        both = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        yield from _unmatched(patterns, [name for name, _ in both.named_parameters()])


def _built(build: Any) -> Any:
    """Return what is built without memory for its weights, or why it is not."""
    try:
        with torch.device("meta"):
            return build()
    except REFUSALS as error:
        return error


def _places_without_a_map(node: Node) -> Iterator[Problem]:
    """Yield sizes at which a network is to attend, and has no feature map: nothing would be inserted."""
    places = node.config.get(PLACES)
    network = r.GENERATORS in node.registries or r.BACKBONES in node.registries
    if not network or not places or PLACES not in (parameters_of(node.component) or {}):
        return
    repeated = sorted({place for place in places if list(places).count(place) > 1})
    if repeated:
        yield Problem(dotted((*node.path, PLACES)), f"{repeated[0]} stands there twice, got {places!r}")
    without, largest = _names(node, ()), max(height_and_width(node.config.get("image_size") or 0))
    for place in dict.fromkeys(places):
        if place >= largest:
            continue  # not reached by images of this size, as in BigGAN
        found = _names(node, (place,))
        if without is not None and found == without:
            message = f"{node.config['type']} has no feature map of {place} x {place}, got {places!r}"
            yield Problem(dotted((*node.path, PLACES)), message)


def _names(node: Node, places: Sequence[int]) -> list[str] | None:
    """Return the names of a network's weights with attention at other places; None if it cannot be built."""
    settings = {key: value for key, value in node.config.items() if key != "type"}
    component: Any = node.component
    built = _built(lambda: component(**{**settings, PLACES: places}))
    return None if isinstance(built, Exception) else [name for name, _ in built.named_parameters()]


def _patterns(settings: Any) -> Iterator[tuple[str, str]]:
    """Yield the patterns on names of parameters that optimisers have, each with its place."""
    asked = settings if isinstance(settings, Mapping) else {}
    sections = {player: asked[player] for player in PLAYERS if isinstance(asked.get(player), Mapping)}
    for player, section in sections.items():
        for key in ("rules", "adopts"):
            given = section.get(key) or ()
            own = (x for x in given if isinstance(x, str) and not x.startswith(BESIDE))
            yield from ((f"optim_wrapper.{player}.{key}", pattern) for pattern in own)


def _unmatched(patterns: Sequence[tuple[str, str]], names: Sequence[str]) -> Iterator[Problem]:
    """Yield patterns that match no parameter."""
    for place, pattern in patterns:
        if not matching(pattern, names):
            known = nearest(pattern, list(names)[:200])
            yield Problem(place, f"the pattern {pattern!r} matches no parameter.{known}")
