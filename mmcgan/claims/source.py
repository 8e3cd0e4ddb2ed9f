"""What an arm's runs come from: a training, a shipped model, or an experiment of its own."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mmcgan.claims.run import Run
from mmcgan.claims.step import Command, Step

if TYPE_CHECKING:
    from mmcgan.zoo.models import LoadedModel

#: in commands and settings of a claim: the folder in which claims keep their files
OUT = "{out}"
DIGITS = 8


class Source(ABC):
    """What runs come from. A plugin writes a class of its own with these methods, as ours are."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What its runs are called in messages."""

    @abstractmethod
    def place(self, share: float) -> PurePath:
        """Return the folder of its runs, below that of claims: another one for whatever is made otherwise."""

    def iterations_of(self, share: float) -> int:
        """Return the generator updates of a share of the budget; 0 if nothing is trained."""
        return 0

    def steps(self, run: Run) -> Iterator[Step]:
        """Yield what has to be done before a run can be looked at; each after the last is done."""
        yield from ()

    def finished(self, run: Run) -> bool:
        """Return whether a run can be looked at."""
        return True

    def test_command(self, run: Run, options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Return how ``mmcgan test`` is told of the run: what comes first, and what comes last.

        Args:
            run: of this source.
            options: settings of the test's own, by dotted path.

        Raises:
            ValueError: there is nothing that it could test.
        """
        raise ValueError(f"{self.title} has no model that mmcgan test could evaluate")

    def load(self, run: Run) -> LoadedModel:
        """Return the trained generator of a finished run.

        Raises:
            ValueError: there is none.
        """
        raise ValueError(f"{self.title} has no generator")


@dataclass(frozen=True)
class Preparation:
    """A file or folder that trainings need, made once.

    Attributes:
        target: what the command makes, below the folder of claims.
        command: arguments of ``mmcgan``; :data:`OUT` in them is the folder of claims.
    """

    target: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class OfBudget:
    """In settings: so many updates as this part of the training's budget, whatever share of it is trained.

    Attributes:
        part: from 0, at most 1.
    """

    part: float

    def updates(self, iterations: int) -> int:
        """Return the part of ``iterations`` generator updates."""
        return round(iterations * self.part)


@dataclass(frozen=True)
class Training(Source):
    """One training that a claim needs, for every seed.

    Attributes:
        config: name of a shipped config.
        iterations: generator updates at the whole budget.
        evaluations: how many times it is evaluated, evenly, the last time at the end.
        options: settings of the config to replace, by dotted path; :data:`OUT` in a text is the folder of
            claims, an :class:`OfBudget` a number of updates.
        needs: what has to be there before, in this order.
    """

    config: str
    iterations: int
    evaluations: int = 5
    options: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Preparation, ...] = ()

    @property
    def title(self) -> str:
        """The config."""
        return self.config

    def iterations_of(self, share: float) -> int:
        """Return the generator updates of a share of the budget, at least one."""
        return max(round(self.iterations * share), 1)

    def place(self, share: float) -> PurePath:
        """Return a folder named after the config, the budget and a digest of everything else but the seed."""
        return PurePath("runs", f"{self.config}-{self.iterations_of(share)}-{self.digest(share)}")

    def digest(self, share: float) -> str:
        """Return the digest of everything that decides what is trained, but the seed."""
        from mmcgan.checkpoints.hashing import text_hash

        settings = _settings_of(self.config)
        needs = [[need.target, *need.command] for need in self.needs]
        text = json.dumps([settings, self.settings(share), needs], sort_keys=True, default=str)
        return text_hash(text)[:DIGITS]

    def settings(self, share: float) -> dict[str, Any]:
        """Return the settings to replace, with the budget, without the seed."""
        iterations = self.iterations_of(share)
        evaluate = max(iterations // self.evaluations, 1)
        return {
            "train_cfg.max_iters": iterations,
            "train_cfg.val_interval": evaluate,
            "default_hooks.checkpoint.interval": evaluate,
            "default_hooks.sample_grid.interval": iterations,
            **{key: _within(value, iterations) for key, value in self.options.items()},
        }

    def option_texts(self, run: Run, options: Mapping[str, Any] | None = None) -> list[str]:
        """Return the settings, and further ones, as ``--cfg-options`` takes them."""
        chosen = {**self.settings(run.share), "randomness.seed": run.seed, **(options or {})}
        return [f"{key}={inside(_text(value), run)}" for key, value in chosen.items()]

    def steps(self, run: Run) -> Iterator[Step]:
        """Yield what the training needs, and the training."""
        for need in self.needs:
            if not (run.out / need.target).exists():
                command = tuple(inside(part, run) for part in need.command)
                yield Command(run, f"making {need.target}", command)
        if not self.finished(run):
            yield Command(run, f"training for {run.iterations} updates", self._train(run))

    def _train(self, run: Run) -> tuple[str, ...]:
        from mmcgan.checkpoints.files import list_checkpoints

        resume = ["--resume"] if list_checkpoints(run.folder) else []
        name = ["train", self.config, "--work-dir", str(run.folder)]
        return (*name, *resume, "--cfg-options", *self.option_texts(run))

    def checkpoint(self, run: Run) -> Any:
        """Return the path of the checkpoint at the end."""
        return run.folder / f"iter_{run.iterations}.pth"

    def finished(self, run: Run) -> bool:
        """Return whether the checkpoint at the end is there."""
        return bool(self.checkpoint(run).is_file())

    def test_command(self, run: Run, options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Return the config and the checkpoint, and the settings of the training with further ones."""
        last = ["--work-dir", str(run.folder / "test"), "--cfg-options", *self.option_texts(run, options)]
        return [self.config, str(self.checkpoint(run))], last

    def load(self, run: Run) -> LoadedModel:
        """Return the averaged generator at the end."""
        from mmcgan.zoo.models import load_model

        return load_model(self.checkpoint(run))


@dataclass(frozen=True)
class Shipped(Source):
    """A model that ships; seeds are those of its samples.

    Attributes:
        model: its name.
    """

    model: str

    @property
    def title(self) -> str:
        """The model."""
        return self.model

    def place(self, share: float) -> PurePath:
        """Return a folder named after the model and its weights, which may be replaced by better ones."""
        from mmcgan.weights import own_index

        entry = own_index("generator").get(self.model)
        if entry is None:
            raise ValueError(f"no model {self.model!r} ships")
        return PurePath("shipped", f"{self.model}-{entry['sha256'][:DIGITS]}")

    def test_command(self, run: Run, options: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """Return the model with the seed of its samples, and the settings."""
        settings = [f"{key}={inside(_text(value), run)}" for key, value in options.items()]
        last = ["--cfg-options", *settings] if settings else []
        return [self.model, "--seeds", str(run.seed)], last

    def load(self, run: Run) -> LoadedModel:
        """Return the model."""
        from mmcgan.zoo.models import load_model

        return load_model(self.model)


@dataclass(frozen=True)
class Experiment(Source):
    """A budget with a name, for functions that do all the work themselves, below the run's folder.

    Attributes:
        name: of the folder and in messages.
        iterations: what the function is to do at the whole budget; :attr:`Run.iterations` tells it.
    """

    name: str
    iterations: int

    @property
    def title(self) -> str:
        """The name."""
        return self.name

    def iterations_of(self, share: float) -> int:
        """Return a share of the budget, at least one."""
        return max(round(self.iterations * share), 1)

    def place(self, share: float) -> PurePath:
        """Return a folder named after name and budget."""
        return PurePath("experiments", f"{self.name}-{self.iterations_of(share)}")


@cache
def _settings_of(config: str) -> dict[str, Any]:
    """Return a shipped config's settings: read once, since every run of it asks for them several times."""
    from mmcgan.config import find_config, read_config

    return dict(read_config(find_config(config)).to_dict())


def inside(text: str, run: Run) -> str:
    """Return a text with the folder of claims in place of :data:`OUT`."""
    return text.replace(OUT, str(run.out))


def _within(value: Any, iterations: int) -> Any:
    return value.updates(iterations) if isinstance(value, OfBudget) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
