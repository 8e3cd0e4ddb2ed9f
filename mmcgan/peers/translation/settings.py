"""Settings of a peer's constructors: read so that none is ignored, and written from ours."""

from __future__ import annotations

import inspect
import re
from ast import literal_eval
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmcgan.registry import BACKBONES, GENERATORS, HEADS

Config = dict[str, Any]
Spec = Mapping[str, Any]


#: groups of settings in a description; elsewhere in it stands text for people
GROUPS = re.compile(r"constructor(_\w+)?|(\w+_)?(settings|kwargs|config)|model|options|network|run|[GD]")
#: settings that are text although they may look like a number, such as resolutions with attention
TEXTS = re.compile(r"\w*(attn|init|param|activation|resolutions)")
BOOLEANS = {"True": True, "true": True, "False": False, "false": False}


class UnsupportedSetting(ValueError):
    """A peer's setting that our networks have no counterpart for."""


def with_values(spec: Spec) -> dict[str, Any]:
    """Return a description whose settings are what their text says: ``"False"`` False, ``"1e-06"`` 1e-06.

    Command lines and records write booleans and numbers down as text, and ``"False"`` is true as it stands.
    """
    return {key: _valued(key, value, bool(GROUPS.fullmatch(str(key)))) for key, value in spec.items()}


def _valued(key: Any, value: Any, is_setting: bool) -> Any:
    if isinstance(value, Mapping):
        return {name: _valued(name, item, is_setting) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_valued(key, item, is_setting) for item in value)
    if not isinstance(value, str):
        return value
    if value in BOOLEANS:
        return BOOLEANS[value]
    if not is_setting or TEXTS.fullmatch(str(key)):
        return value
    try:
        return literal_eval(value)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return value


class Settings:
    """Reads a peer's settings so that none is silently ignored.

    Args:
        values: the settings; ``finish`` raises unless every one was taken.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)

    def take(self, name: str, default: Any = None) -> Any:
        """Return a setting, or the peer's default, and mark it as read."""
        return self.values.pop(name, default)

    def require(self, name: str, *allowed: Any) -> Any:
        """Read a setting that may be absent or one of ``allowed``.

        Raises:
            UnsupportedSetting: another value.
        """
        value = self.values.pop(name, allowed[0])
        if value not in allowed:
            raise UnsupportedSetting(f"{name}={value!r} is not supported, only {list(allowed)}")
        return value

    def ignore(self, *names: str) -> None:
        """Drop settings that do not change what the network computes."""
        for name in names:
            self.values.pop(name, None)

    def finish(self) -> None:
        """Raise UnsupportedSetting if anything was not read."""
        if self.values:
            raise UnsupportedSetting(f"unknown settings: {self.values}")


@dataclass(frozen=True)
class Pair:
    """A setting of theirs that is one of ours.

    Attributes:
        theirs, ours: the names.
        default: the peer's, in its words.
        words: the peer's word -> ours, for settings that are words; the first of several for one of
            ours is written.
        loaded: what weights that are loaded make up for: a word that the peer lacks is its default there.
    """

    theirs: str
    ours: str
    default: Any = None
    words: Mapping[str, str] | None = None
    loaded: bool = False


def read_pairs(settings: Settings, pairs: Sequence[Pair]) -> Config:
    """Take the settings of ``pairs`` and return them as ours.

    Raises:
        UnsupportedSetting: a word that we have none for.
    """
    return {pair.ours: _read(settings.take(pair.theirs, pair.default), pair) for pair in pairs}


def _read(value: Any, pair: Pair) -> Any:
    return value if pair.words is None else translate(pair.theirs, value, pair.words)


def write_pairs(config: Mapping[str, Any], pairs: Sequence[Pair]) -> Config:
    """Return the settings of ``pairs`` as the peer's; a word that it lacks is passed on, to be refused."""
    return {pair.theirs: _written(config.get(pair.ours), pair) for pair in pairs}


def _written(value: Any, pair: Pair) -> Any:
    if pair.words is None:
        return value
    return next((k for k, v in pair.words.items() if v == value), pair.default if pair.loaded else value)


def translate(name: str, value: str, table: Mapping[str, str]) -> str:
    """Return our word for a peer's.

    Raises:
        UnsupportedSetting: there is none.
    """
    if value not in table:
        raise UnsupportedSetting(f"{name}={value!r} is not supported, only {list(table)}")
    return table[value]


def complete(config: Mapping[str, Any]) -> Config:
    """Return the config of a generator, backbone or head with the defaults of its class."""
    kinds = (registry.get(config["type"]) for registry in (GENERATORS, BACKBONES, HEADS))
    kind = next(kind for kind in kinds if kind is not None)
    parameters = inspect.signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty} | dict(config)
