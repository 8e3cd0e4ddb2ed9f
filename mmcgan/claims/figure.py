"""What of a run is compared: a logged value, a result of ``mmcgan test``, or what a function measures."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from inspect import isfunction
from typing import Any, Literal

from mmcgan.claims.run import Run, chosen
from mmcgan.claims.step import Call, Command, Function, Step
from mmcgan.scalars import Series

#: which value of a training counts: the first or last, the best, or how far it fell from that
When = Literal["first", "last", "lowest", "highest", "last over lowest"]


class Figure(ABC):
    """One number of a finished run. A plugin writes a class of its own with these methods, as ours are.

    Attributes:
        key: what the number is called.
        when: which of its values over the training counts.
    """

    key: str
    when: When

    @abstractmethod
    def value(self, run: Run) -> float | None:
        """Return the number, None where it is not known yet.

        Raises:
            ValueError: the run is finished and has no number of that name.
        """

    def steps(self, run: Run) -> Iterator[Step]:
        """Yield what has to be done once the run's source is finished."""
        yield from ()

    def curve(self, run: Run) -> Series:
        """Return the number's values by iteration; none if there is one alone."""
        return {}


@dataclass(frozen=True)
class Logged(Figure):
    """A figure that a training logs.

    Attributes:
        key: its name in the log, such as ``fid``.
        when: which of its values counts.
    """

    key: str
    when: When = "last"

    def value(self, run: Run) -> float | None:
        """Return the value that counts of a finished training."""
        return self.of(self.curve(run)) if run.source.finished(run) else None

    def curve(self, run: Run) -> Series:
        """Return the values by iteration.

        Raises:
            ValueError: nothing of that name was logged.
        """
        series = run.series()
        if self.key not in series:
            raise ValueError(f"{run.folder} has not logged {self.key!r}; it has {', '.join(sorted(series))}")
        return series[self.key]

    def of(self, series: Mapping[int, float]) -> float:
        """Return the figure of values by iteration; NaN if one of those that count is."""
        values = [series[step] for step in sorted(series)]
        if self.when == "first":
            return values[0]
        if self.when != "last" and any(map(math.isnan, values)):
            return math.nan  # min and max would pass by it, or not, by its place
        if self.when == "lowest":
            return min(values)
        if self.when == "highest":
            return max(values)
        if self.when == "last over lowest":
            return values[-1] / min(values)
        return values[-1]


@dataclass(frozen=True)
class Evaluated(Figure):
    """A figure that ``mmcgan test`` finds of the trained, or of a shipped, model.

    Attributes:
        key: its name in the report.
        arguments: further ones of the command, such as ``("--truncations", "0.5")``.
        options: settings of the config to replace for the test alone, by dotted path.
    """

    key: str
    arguments: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    when: When = field(default="last", init=False)

    @property
    def asked(self) -> str:
        """What the test was asked, as text."""
        settings = [json.dumps(dict(self.options), sort_keys=True)] if self.options else []
        return " ".join([*self.arguments, *settings]) or "as the config says"

    def value(self, run: Run) -> float | None:
        """Return the figure of the report, None before the test."""
        found = run.found(self.asked)
        return None if found is None else chosen(found, self.key, run)

    def steps(self, run: Run) -> Iterator[Step]:
        """Yield the test, unless it is done."""
        if run.found(self.asked) is None:
            first, last = run.source.test_command(run, self.options)
            report = str(run.report(self.asked))
            command = ("test", *first, *self.arguments, "--json", report, *last)
            yield Command(run, f"testing {self.key}", command, asks=self.asked)


@dataclass(frozen=True)
class Measured(Figure):
    """A figure that a function finds of a finished run.

    Attributes:
        key: its name among what the function returns.
        function: called with the run, and ``settings`` by name, in a process of its own; returns figures by
            name. Defined at the top of a module, whose name is part of what is remembered.
        settings: plain values.

    Raises:
        ValueError: another process would not find the function.
    """

    key: str
    function: Function
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    when: When = field(default="last", init=False)

    def __post_init__(self) -> None:
        function: Any = self.function
        if not (isfunction(function) and function.__qualname__.isidentifier()):
            raise ValueError(f"{function!r}: a function that measures has to stand at the top of a module")

    @property
    def asked(self) -> str:
        """What was asked, as text."""
        name = f"{self.function.__module__}:{self.function.__qualname__}"
        return " ".join([name, *([json.dumps(dict(self.settings), sort_keys=True)] if self.settings else [])])

    def value(self, run: Run) -> float | None:
        """Return what the function found, None before it was called."""
        found = run.found(self.asked)
        return None if found is None else chosen(found, self.key, run)

    def steps(self, run: Run) -> Iterator[Step]:
        """Yield the call, unless it is done."""
        if run.found(self.asked) is None:
            yield Call(run, f"measuring {self.key}", self.function, self.settings, asks=self.asked)
