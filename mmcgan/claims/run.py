"""One run that claims look at: where it is kept, what has been found of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmcgan.text_files import read_json

if TYPE_CHECKING:
    from mmcgan.claims.source import Source
    from mmcgan.scalars import Series

LOG, FIGURES, REPORTS, SECONDS = "output.txt", "figures.json", "reports.json", "seconds.json"


@dataclass(frozen=True)
class Run:
    """What an arm's source makes with a seed.

    Attributes:
        source: a training, a shipped model, an experiment.
        seed: of the training, of a shipped model's samples, of the experiment.
        share: of the whole budget, above 0, at most 1.
        out: folder in which claims keep their files.
    """

    source: Source
    seed: int
    share: float
    out: Path

    @property
    def iterations(self) -> int:
        """Generator updates; 0 of what is not trained."""
        return self.source.iterations_of(self.share)

    @property
    def folder(self) -> Path:
        """Where the run is kept."""
        return self.out / self.source.place(self.share) / f"seed_{self.seed}"

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.source.title}, seed {self.seed}"

    def series(self) -> dict[str, Series]:
        """Return everything that it has logged, by name and iteration; nothing if it has not begun."""
        from mmcgan.scalars import read_scalars

        try:
            return read_scalars(self.folder)
        except FileNotFoundError:
            return {}

    def found(self, key: str) -> dict[str, float] | None:
        """Return the figures of one evaluation or measurement, None if it has not been made.

        Args:
            key: what was asked.
        """
        return self.read(FIGURES).get(key)

    def report(self, key: str) -> Path:
        """Return the file into which a process writes the figures that ``key`` asks for."""
        from mmcgan.checkpoints.hashing import text_hash

        return self.folder / f"report-{text_hash(key)[:8]}.json"

    def expect(self, key: str) -> None:
        """Remember, before a process begins, that it answers ``key``, in :meth:`report`'s file."""
        self.write(REPORTS, {**self.read(REPORTS), key: self.report(key).name})

    def collect(self) -> None:
        """Note the figures of files that have been written since; each holds them as ``metrics``."""
        known = self.read(FIGURES)
        for key, name in self.read(REPORTS).items():
            if key not in known and (self.folder / name).is_file():
                known[key] = self.read(name)["metrics"]
        if known:
            self.write(FIGURES, known)

    @property
    def seconds(self) -> float:
        """Seconds by the clock that it has taken so far."""
        return float(self.read(SECONDS).get("seconds", 0.0))

    def add_seconds(self, seconds: float) -> None:
        """Count seconds of one more process."""
        self.write(SECONDS, {"seconds": round(self.seconds + seconds, 1)})

    def read(self, name: str) -> dict[str, Any]:
        """Return one of the run's JSON files, empty if it is not there.

        Raises:
            ValueError: it is no JSON.
        """
        path = self.folder / name
        return read_json(path, "the figures of a claim's run") if path.is_file() else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of the run's JSON files."""
        from mmcgan.checkpoints.atomic import write_file

        write_file(self.folder / name, json.dumps(content, indent=1))


def chosen(figures: Mapping[str, float], key: str, run: Run) -> float:
    """Return one of the figures that were found of a run.

    Raises:
        ValueError: there is none of that name.
    """
    if key not in figures:
        raise ValueError(f"{run.folder} has no {key!r}; it has {', '.join(sorted(figures))}")
    return float(figures[key])
