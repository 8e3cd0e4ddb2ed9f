"""From all ways to read a checkpoint to the one that is meant, or a message that names them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from mmcgan.peers.reading.completing import CONTRADICTION
from mmcgan.peers.reading.described import described_fit
from mmcgan.peers.reading.fitting import Fit, fits, select
from mmcgan.peers.reading.shapes import UNSEEN, flatten
from mmcgan.peers.reading.sources import Found
from mmcgan.peers.reading.unsupported import unsupported_network
from mmcgan.peers.translation import DISCRIMINATOR, GENERATOR
from mmcgan.peers.translation.registry import readable_formats
from mmcgan.plain_values import plain
from mmcgan.random import make_generator
from mmcgan.registry import BACKBONES, GENERATORS
from mmcgan.structures import Condition
from mmcgan.suggestions import nearest

SHOWN = 6
#: So many faults still mean that the settings beside weights are theirs, and that the weights are broken.
FEW = 3
#: What generator and discriminator of one model agree on.
SHARED_FACTS = ("num_classes", "image_size", "num_map_classes", "has_edges")


class ConversionError(ValueError):
    """A checkpoint whose keys do not all find their place; the message lists them."""


class AmbiguousError(ValueError):
    """A checkpoint that can be read in several ways; the message names them.

    Attributes:
        settings: the settings that decide, by dotted path with the player in front.
        formats: the formats that are possible.
    """

    def __init__(self, message: str, settings: Sequence[str], formats: Sequence[str]) -> None:
        super().__init__(message)
        self.settings, self.formats = list(settings), list(formats)


@dataclass(frozen=True)
class Wishes:
    """What the user says about a checkpoint.

    Attributes:
        format: name of the format, None to recognise it.
        settings: by dotted path of our configs, ``generator.`` or ``discriminator.`` in front where needed.
    """

    format: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in readable_formats():
            raise ValueError(f"unknown format {self.format!r}; formats: {', '.join(readable_formats())}")


def read_networks(found: Sequence[Found], wishes: Wishes, stated: Mapping[str, Any]) -> list[Fit]:
    """Return the one reading of every network that fits and agrees with the others.

    Args:
        found: at most one generator and one discriminator.
        wishes: what the user says.
        stated: what the files say, by our dotted paths.

    Raises:
        ConversionError: keys that are left over, missing or of other shapes.
        AmbiguousError: several readings; the message names what decides.
        ValueError: no format knows the keys, or a setting that no network has.
    """
    readings = [_complete_readings(network, wishes, stated) for network in found]
    _check_settings(wishes.settings, [fit for group in readings for fit in group])
    together = [chosen for chosen in product(*readings) if _agree(chosen)]
    if not together:
        formats = " and ".join(
            f"{network.name}: {', '.join(dict.fromkeys(fit.format.name for fit in group))}"
            for network, group in zip(found, readings, strict=True)
        )
        raise ValueError(f"the networks do not belong together ({formats}); convert them one by one")
    columns = [_distinct(column) for column in zip(*together, strict=True)]
    for network, column in zip(found, columns, strict=True):
        if len(column) > 1:
            raise _ambiguous(network, column)
    return [column[0] for column in columns]


def _complete_readings(network: Found, wishes: Wishes, stated: Mapping[str, Any]) -> list[Fit]:
    described = described_fit(network, wishes.format, wishes.settings)
    if described is not None and described.complete:
        return [described]
    if described is not None and described.faults <= max(FEW, len(network.state) // 20):
        raise ConversionError(misfit_message(network.name, described))
    given = {**stated, **wishes.settings}
    attempts, reasons = fits(network.state, given, wishes.format)
    complete = [fit for fit in attempts if fit.complete]
    if complete:
        for fit in complete:
            _name_origins(fit, wishes.settings)
        return complete
    known = unsupported_network(network.state)
    if known is not None:
        raise ConversionError(f"{network.name}: {known}")
    contradictions = [reason for reason in reasons.values() if reason.startswith(CONTRADICTION)]
    if contradictions:
        raise ValueError(f"{network.name}: {contradictions[0]}")
    asking = [reason for reason in reasons.values() if reason.startswith(UNSEEN)]
    if asking and not attempts:
        setting = asking[0].removeprefix(f"{UNSEEN} ").partition(",")[0]
        raise AmbiguousError(f"{network.name}: {asking[0]}; give it with --set", [setting], [])
    if attempts:
        raise ConversionError(misfit_message(network.name, attempts[0]))
    if reasons:
        because = "".join(f"\n  {name}: {reason}" for name, reason in reasons.items())
        raise ConversionError(f"{network.name} looks like one of these, but is not complete:{because}")
    keys, formats = list(network.state), ", ".join(readable_formats())
    unknown = f"the format {wishes.format} does not know" if wishes.format else "no format knows"
    raise ValueError(f"{network.name}: {unknown} its {len(keys)} keys ({some(keys)}); formats: {formats}")


def _name_origins(fit: Fit, wishes: Mapping[str, Any]) -> None:
    """Tell settings of the file from those of the user."""
    own = select(wishes, fit.role)
    for path, origin in fit.origin.items():
        if origin == "given" and not any(path in (name, f"backbone.{name}") for name in own):
            fit.origin[path] = "file"


def misfit_message(name: str, fit: Fit) -> str:
    """Return what does not fit, in a few lines, by the peer's names."""
    lines = [f"{name} looks like {fit.format.name} ({fit.role}), but does not fit completely:"]
    parts = {"unused keys": fit.unused, "missing keys": _missing(fit), "wrong shapes": fit.mismatched}
    lines += [f"  {len(keys)} {kind}: {some(keys)}" for kind, keys in parts.items() if keys]
    return "\n".join(lines)


def _missing(fit: Fit) -> list[str]:
    """Return the peer's names of missing keys; ours where it has none."""
    writing = fit.format.writing
    facts = {} if writing is None else writing.facts(fit.config)
    names = fit.format.back_map([*fit.weights, *fit.missing], fit.role, facts) if fit.missing else {}
    return [names.get(key, key) for key in fit.missing]


def some(names: Iterable[str]) -> str:
    """Return the first few names."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


# --- which readings go together -------------------------------------------------------------------
def _agree(chosen: Sequence[Fit]) -> bool:
    """Return whether networks come from one peer and know the same classes and sizes."""
    if len({fit.format.name for fit in chosen}) > 1 and len({fit.format.peer for fit in chosen}) > 1:
        return False
    if len({fit.format.name for fit in chosen}) > 1 and not all(fit.format.mixes for fit in chosen):
        return False
    facts = [_facts(fit) for fit in chosen]
    return all(
        len({repr(plain(fact[name])) for fact in facts if fact.get(name)}) <= 1 for name in SHARED_FACTS
    )


def _facts(fit: Fit) -> dict[str, Any]:
    """Return what two networks of one model have in common."""
    if fit.role == GENERATOR:
        facts = {**fit.config, **fit.config.get("generator", {})}
    else:
        classes = [head.get("num_classes") or 0 for head in fit.config["heads"].values()]
        facts = {**fit.config["backbone"], "num_classes": max(classes, default=0)}
    if "has_edges" in facts:
        facts["has_edges"] = str(facts["has_edges"])  # False counts as well
    return {name: facts[name] for name in SHARED_FACTS if name in facts}


def _distinct(column: Iterable[Fit]) -> list[Fit]:
    found: list[Fit] = []
    for fit in column:
        if not any(same(fit, other) for other in found):
            found.append(fit)
    return found


def same(one: Fit, other: Fit) -> bool:
    """Return whether two readings are one network: equal settings, or one training step like the other."""
    if one.config == other.config:
        return True
    settings, others = flatten(one.config), flatten(other.config)
    kinds = {path for path in settings.keys() | others.keys() if settings.get(path) != others.get(path)}
    # another class of network may compute the same; other settings of one class do not
    if not any(path.endswith("type") for path in kinds) or one.role != other.role:
        return False
    return _behave_alike(one, other)


def _behave_alike(one: Fit, other: Fit) -> bool:
    results = [_behaviour(fit) for fit in (one, other)]
    if None in results:
        return False
    first, second = results
    assert first is not None and second is not None
    keys = first.keys() & second.keys()
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in keys)


@torch.no_grad()
def _behaviour(fit: Fit) -> dict[str, Tensor] | None:
    """Return outputs and state of one training forward; None if it needs more than a label."""
    network = fit.build()
    network.train()
    source = make_generator("conversion probe")
    condition = _probe_condition(network, fit)
    if condition is None:
        return None
    if fit.role == GENERATOR:
        outputs = {"": network(torch.randn(2, int(network.latent_dim), generator=source), condition)}  # type: ignore[arg-type]
    else:
        size = fit.config["backbone"]["image_size"]
        outputs = dict(network(torch.randn(2, 3, size, size, generator=source), condition))
    return {**outputs, **{f"state.{key}": value for key, value in network.state_dict().items()}}


def _probe_condition(network: nn.Module, fit: Fit) -> Condition | None:
    requires = tuple(network.requires)  # type: ignore[arg-type]
    if set(requires) - {"label"}:
        return None
    return Condition(label=torch.zeros(2, dtype=torch.int64) if requires else None)


def _ambiguous(network: Found, readings: Sequence[Fit]) -> AmbiguousError:
    role = readings[0].role
    tables = [flatten(fit.config) for fit in readings]
    paths = sorted({path for table in tables for path in table})
    differing = [path for path in paths if len({repr(table.get(path)) for table in tables}) > 1]
    lines = []
    for fit, table in zip(readings, tables, strict=True):
        choices = " ".join(
            f"{path}={table[path]}" for path in differing if path in table and not path.endswith("type")
        )
        lines.append(f"  {fit.format.name}: {choices or fit.config.get('type', role)}")
    formats = list(dict.fromkeys(fit.format.name for fit in readings))
    advice = f"--format {'|'.join(formats)}" if len(formats) > 1 else ""
    settings = [f"{role}.{path}" for path in differing if not path.endswith("type")]
    if len(formats) == 1 or _within(readings):
        advice = " and ".join(filter(None, [advice, f"--set {role}.KEY=VALUE for what tells them apart"]))
    whole = list(dict.fromkeys(lines))
    message = f"{network.name}: its {role} can be read in {len(whole)} ways; say which with {advice}:\n"
    return AmbiguousError(message + "\n".join(whole), settings, formats)


def _within(readings: Sequence[Fit]) -> bool:
    """Return whether one format alone has several readings."""
    names = [fit.format.name for fit in readings]
    return len(set(names)) < len(names)


def _check_settings(settings: Mapping[str, Any], readings: Sequence[Fit]) -> None:
    """Refuse settings that no network of the checkpoint has.

    Raises:
        ValueError: the message names the nearest one.
    """
    used = {path for fit in readings for path, origin in fit.origin.items() if origin == "given"}
    for path in settings:
        player, _, rest = path.partition(".")
        bare = rest if player in (GENERATOR, DISCRIMINATOR) else path
        if not used & {bare, f"backbone.{bare}", f"generator.{bare}"}:
            known = sorted({name for fit in readings for name in _names(fit)})
            raise ValueError(f"--set {path}: no network of the checkpoint has it.{nearest(bare, known)}")


def _names(fit: Fit) -> set[str]:
    registry = GENERATORS if fit.role == GENERATOR else BACKBONES
    config = fit.config if fit.role == GENERATOR else fit.config["backbone"]
    kind = registry.get(config["type"])
    return set(inspect.signature(kind).parameters) if kind else set()
