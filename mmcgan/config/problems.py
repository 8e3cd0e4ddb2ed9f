"""What is wrong with a config, collected so that all of it is reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong: the dotted ``path`` in the config and a sentence."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ConfigError(ValueError):
    """A config cannot work; lists every problem found.

    Attributes:
        source: the file or name of the config.
        problems: all of them, in the order of the config.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source, self.problems = source, list(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        super().__init__("\n  - ".join([f"{source}: {count}", *map(str, problems)]))


def dotted(path: Sequence[str]) -> str:
    """Return ``model.heads.adv`` for ``("model", "heads", "adv")``."""
    return ".".join(path)
