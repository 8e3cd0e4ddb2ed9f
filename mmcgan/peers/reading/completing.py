"""Settings that weights show, completed by what is assumed, possible and given."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmcgan.peers.reading.shapes import Config, Given, MisfitError, flatten, merge
from mmcgan.plain_values import plain
from mmcgan.registry import BACKBONES, GENERATORS, HEADS

#: How a message begins that sets a given value against the weights.
CONTRADICTION = "the weights say"
#: A config, and where each of its settings comes from.
Read = tuple[Config, dict[str, str]]


def complete_configs(
    configs: list[Config],
    evidence: Config,
    assumed: Config,
    choices: list[Config],
    given: Given,
) -> list[Read]:
    """Add to each config what is known, assumed, possible and given; drop what contradicts.

    Args:
        configs: what shapes say.
        evidence: what keys or values show beyond them.
        assumed: what published networks share.
        choices: settings that go together, of which any may be.
        given: settings of the user or the file, by dotted path.

    Raises:
        MisfitError: all contradict what is given.
    """
    found: list[Read] = []
    refused: list[str] = []
    for config in configs:
        given = {path: value for path, value in given.items() if accepts(config, path)}
        shown = merge(config, evidence)
        whole = _without_strangers(merge(shown, assumed), shown)
        origin = {path: "shapes" if path in flatten(shown) else "assumed" for path in flatten(whole)}
        contradiction = _contradiction(flatten(shown), given)
        if contradiction:
            refused.append(contradiction)
            continue
        for choice in [choice for choice in choices if not _contradiction(choice, given)] or [{}]:
            chosen = {path: value for path, value in choice.items() if path not in given}
            complete = with_settings(whole, {**given, **chosen})
            sources = dict.fromkeys(given, "given") | dict.fromkeys(chosen, "chosen")
            found.append((complete, origin | sources))
    if refused and not found:
        raise MisfitError("; ".join(sorted(set(refused))))
    return found


def accepts(config: Config, path: str) -> bool:
    """Return whether a network has a setting of this path."""
    head, _, rest = path.partition(".")
    below = config.get(head)
    if rest and isinstance(below, Mapping) and ("type" in below or head == "heads"):
        return accepts(dict(below), rest)
    parameters = _parameters(config.get("type"))
    return parameters is None or head in parameters if "type" in config else head in config


def _contradiction(shown: Mapping[str, Any], given: Given) -> str | None:
    for path, value in given.items():
        if path in shown and shown[path] != plain(value):
            return f"{CONTRADICTION} {path}={shown[path]!r}, not {value!r}"
    return None


def with_settings(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Config:
    """Return ``config`` with values set by dotted path."""
    result: Config = dict(config.items())
    for path, value in settings.items():
        head, _, rest = path.partition(".")
        if rest:
            below = result.get(head)
            result[head] = with_settings(below if isinstance(below, Mapping) else {}, {rest: value})
        else:
            result[head] = value
    return result


def _without_strangers(config: Config, shown: Config) -> Config:
    """Drop assumed settings that the components do not have, and those of spectral norms that are absent."""
    kept: Config = {}
    parameters = _parameters(config.get("type"))
    for key, value in config.items():
        if isinstance(value, Mapping):
            value = _without_strangers(dict(value), shown.get(key, {}) or {})
        if key in shown or parameters is None or key in parameters:
            if key.endswith("spectral_norm") and key not in shown:
                continue
            kept[key] = value
    return kept


def _parameters(kind: Any) -> set[str] | None:
    for registry in (GENERATORS, BACKBONES, HEADS):
        found = registry.get(kind) if isinstance(kind, str) else None
        if found is not None:
            return {"type", *inspect.signature(found).parameters}
    return None
