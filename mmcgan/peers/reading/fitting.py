"""Which network of ours the weights of a stranger belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.allocations import bounded
from mmcgan.peers.reading.completing import Read, complete_configs
from mmcgan.peers.reading.generators import coded
from mmcgan.peers.reading.heads import read_heads
from mmcgan.peers.reading.shapes import Config, Given, MisfitError, Shapes
from mmcgan.peers.translation import DISCRIMINATOR, GENERATOR, PeerFormat, Reading, build_network
from mmcgan.peers.translation.registry import readable_formats

State = dict[str, Tensor]
#: Share of keys that a format must know to be worth a try.
KNOWN_SHARE = 0.5
#: Keys that are looked at to find out whether a format is worth a try.
SAMPLED_KEYS = 40
#: Number of values above which a network counts as large.
LARGE = 10_000_000


@dataclass
class Fit:
    """One way to read a state dict.

    Attributes:
        format: of which peer it is taken to be.
        role: ``generator`` or ``discriminator``.
        config: of our network.
        weights: our names -> tensors.
        origin: setting by dotted path -> ``shapes``, ``assumed``, ``chosen`` (one of several that are
            possible) or ``given``.
        unused: the peer's keys that our network has no place for.
        missing: our keys that the peer does not have.
        mismatched: keys whose shapes differ, as text.
        left_out: the peer's keys that it stores and never uses.
    """

    format: PeerFormat
    role: str
    config: Config
    weights: State
    origin: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every key has its place and nothing is missing."""
        return not (self.unused or self.missing or self.mismatched)

    @property
    def faults(self) -> int:
        """Number of keys that do not fit."""
        return len(self.unused) + len(self.missing) + len(self.mismatched)

    def build(self) -> nn.Module:
        """Return our network with these weights, in evaluation mode."""
        network = build_network(self.role, self.config)
        network.load_state_dict(self.weights)
        return network.eval()


def fits(state: State, given: Given, name: str | None = None) -> tuple[list[Fit], dict[str, str]]:
    """Return all ways to read ``state``, the incomplete ones last, and why other formats were dropped.

    Args:
        state: the peer's keys -> tensors.
        given: settings by dotted path, see :func:`select`.
        name: the format, if it is known.
    """
    found: list[Fit] = []
    reasons: dict[str, str] = {}
    for form, role in _candidates(state, name):
        try:
            found += _read(form, role, state, select(given, role))
        except MisfitError as error:
            reasons[f"{form.name} ({role})"] = str(error)
    return sorted(found, key=lambda fit: fit.faults), reasons


def _candidates(state: State, name: str | None) -> Iterator[tuple[PeerFormat, str]]:
    for form in readable_formats().values():
        if name not in (None, form.name):
            continue
        shares = _shares(form, state)
        best = max(shares.values(), default=0.0)
        yield from ((form, role) for role, share in shares.items() if share == best >= KNOWN_SHARE)


def likely_role(state: State, name: str | None = None) -> str | None:
    """Return whether keys are a generator's or a discriminator's; None if no format knows them."""
    roles = {role for _, role in _candidates(state, name)}
    if len(roles) < 2:
        return next(iter(roles), None)
    attempts, _ = fits(state, {}, name)
    return attempts[0].role if attempts else GENERATOR


def knows(form: PeerFormat, state: State) -> bool:
    """Return whether a format knows enough of the keys to be worth a try."""
    return max(_shares(form, state).values(), default=0.0) >= KNOWN_SHARE


def _shares(form: PeerFormat, state: State) -> dict[str, float]:
    """Return the share of a sample of keys that each player of a format knows."""
    keys = sorted(state)
    sample = keys[:: max(1, len(keys) // SAMPLED_KEYS)]
    return {role: form.known_share(sample, role) for role in form.roles}


def select(given: Given, role: str) -> dict[str, Any]:
    """Return the settings for one network; ``generator.`` and ``discriminator.`` say which one is meant.

    Names of a backbone need no prefix where the generator has the same.
    """
    found = {}
    for path, value in given.items():
        player, _, rest = path.partition(".")
        if player in (GENERATOR, DISCRIMINATOR):
            if player == role:
                found[rest] = value
        else:
            found[path] = value
    return found


# --- reading one format ---------------------------------------------------------------------------
def _read(form: PeerFormat, role: str, state: State, given: Given) -> list[Fit]:
    weights = form.convert_state(state, role)
    shapes = Shapes(weights)
    assert form.reading is not None
    reader = _generators if role == GENERATOR else _discriminators
    found: list[Fit] = []
    refused: list[str] = []
    try:
        read = reader(form.reading, shapes, state, given)
    except (LookupError, TypeError, AttributeError, ArithmeticError, StopIteration) as error:
        # a layer that the format always has is not there, or has another shape
        raise MisfitError(f"not laid out as in {form.name} ({error!r})") from error
    for config, origin in read:
        try:
            found.append(compare(form, role, config, origin, state, weights))
        except MisfitError as error:
            refused.append(str(error))
    if refused and not found:
        raise MisfitError("; ".join(dict.fromkeys(refused)))
    return found


def _generators(reading: Reading, shapes: Shapes, state: State, given: Given) -> list[Read]:
    if reading.generator is None:
        raise MisfitError("the format has no generator")
    mixed = "mix.weight" in shapes
    inner = shapes.below("generator.") if mixed else shapes
    prefix = "generator." if mixed else ""
    own = {path.removeprefix(prefix): value for path, value in given.items()}
    configs = reading.generator(inner, own)
    if mixed:
        configs = coded(shapes, configs)
    assumed: Config = dict(reading.assumed_generator)
    if mixed:
        assumed = {"generator": assumed, "spectral_norm": assumed.get("spectral_norm", {})}
    evidence = reading.evidence(state)
    choices = [{f"{prefix}{k}": v for k, v in choice.items()} for choice in reading.choices_generator(state)]
    return complete_configs(configs, {"generator": evidence} if mixed else evidence, assumed, choices, given)


def _discriminators(reading: Reading, shapes: Shapes, state: State, given: Given) -> list[Read]:
    if reading.backbone is None:
        raise MisfitError("the format has no discriminator")
    own = {path.removeprefix("backbone."): value for path, value in given.items()}
    parts = ("backbone.", "heads.")
    bare = {path if path.startswith(parts) else f"backbone.{path}": value for path, value in given.items()}
    pairs = product(reading.backbone(shapes.below("backbone."), own), read_heads(shapes))
    found: list[Read] = []
    refused: list[str] = []
    for backbone, heads in pairs:
        assumed = {name: _assumed_head(reading, head["type"]) for name, head in heads.items()}
        try:
            found += complete_configs(
                [{"backbone": backbone, "heads": heads, "init": reading.head_init}],
                {"backbone": reading.evidence_backbone(state)},
                {"backbone": reading.assumed_backbone, "heads": assumed},
                [{f"backbone.{k}": v for k, v in each.items()} for each in reading.choices_backbone(state)],
                bare,
            )
        except MisfitError as error:
            refused.append(str(error))
    if refused and not found:
        raise MisfitError(refused[0])
    return found


def _assumed_head(reading: Reading, kind: str) -> Config:
    return {**reading.assumed_heads.get("*", {}), **reading.assumed_heads.get(kind, {})}


# --- comparing with what was built ----------------------------------------------------------------
@lru_cache(maxsize=64)
def _expected(role: str, config: str, large: bool) -> dict[str, torch.Size]:
    """Return names and shapes of the network that a config, as JSON, builds.

    A large one is built without memory, which for a small one takes longer than building it.

    Raises:
        MisfitError: it builds none.
    """
    place = torch.device("meta") if large else torch.random.fork_rng(devices=[])
    try:
        with place, bounded(0):
            return {
                key: value.shape
                for key, value in build_network(role, json.loads(config)).state_dict().items()
            }
    except (ValueError, TypeError, KeyError, MemoryError) as error:
        raise MisfitError(" ".join(str(error).split())) from error


def compare(
    form: PeerFormat, role: str, config: Config, origin: dict[str, str], state: State, weights: State
) -> Fit:
    """Hold the converted weights against those of the network that ``config`` builds.

    Raises:
        MisfitError: it builds none.
    """
    large = sum(value.numel() for value in weights.values()) > LARGE
    own = _expected(role, json.dumps(config, sort_keys=True), large)
    theirs = form.key_map(state, role)
    weights = {**weights, **form.supplied(lambda: build_network(role, config), state)}
    fit = Fit(form, role, config, {key: value for key, value in weights.items() if key in own}, origin)
    optional = [key for key in weights if key not in own and _matches(form.optional, key)]
    names = {ours: key for key, ours in theirs.items()}
    fit.left_out = [names.get(key, key) for key in optional]
    counters = {key for key in weights if key not in names}
    spare = [key for key in weights if key not in own and key not in optional and key not in counters]
    fit.unused = [names[key] for key in spare] + _collisions(theirs)
    fit.missing = [key for key in own if key not in weights]
    fit.mismatched = [
        f"{names.get(key, key)} is {tuple(value.shape)}, expected {tuple(own[key])}"
        for key, value in fit.weights.items()
        if value.shape != own[key]
    ]
    return fit


def _matches(patterns: tuple[str, ...], key: str) -> bool:
    return any(re.match(pattern, key) for pattern in patterns)


def _collisions(theirs: Mapping[str, str]) -> list[str]:
    """Return the peer's keys whose place in our network another key has taken."""
    taken: set[str] = set()
    found = []
    for key, ours in theirs.items():
        if ours in taken:
            found.append(key)
        taken.add(ours)
    return found
