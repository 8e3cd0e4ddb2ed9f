"""The models of the page, and one place where their work is done: one request at a time, bounded."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mmcgan.demo.limits import Limits, Stop
from mmcgan.progress import watched
from mmcgan.zoo.models import LoadedModel, load_model


@dataclass(frozen=True)
class Model:
    """A model of the page.

    Attributes:
        source: what it was asked for by, which is what a copied command says.
        loaded: the model.
    """

    source: str
    loaded: LoadedModel

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its images."""
        size = self.loaded.model.generator.image_size
        return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))

    @property
    def classes(self) -> list[str]:
        """What its classes are called, in order; their numbers where they have no names, [] without any."""
        if "label" not in self.loaded.requires:
            return []
        count = self.loaded.model.generator.num_classes
        names = self.loaded.record.classes or [str(number) for number in range(count)]
        return [str(name) for name in names][:count]


def load_models(sources: Sequence[str]) -> dict[str, Model]:
    """Return models by the name under which the page shows them.

    Raises:
        FileNotFoundError, ImportError, ValueError: as :func:`mmcgan.apis.load_model`.
    """
    found: dict[str, Model] = {}
    for source in dict.fromkeys(sources):
        loaded = load_model(source)
        name = loaded.name if loaded.name not in found else source
        found[name] = Model(source, loaded)
    return found


class Studio:
    """Does what the tabs ask for.

    Args:
        models: by name.
        folder: everything that is made goes there and nowhere else; the oldest results are removed.
        limits: of a request.
    """

    def __init__(self, models: Mapping[str, Model], folder: Path, limits: Limits | None = None) -> None:
        if not models:
            raise ValueError("a page needs at least one model")
        self.models, self.folder, self.limits = dict(models), folder, limits or Limits()
        self._worker = threading.Lock()
        self._running: dict[str, Stop] = {}

    @property
    def busy(self) -> bool:
        """Whether a request is worked on."""
        return bool(self._running)

    def able(self, can: Callable[[LoadedModel], bool]) -> list[str]:
        """Return the names of the models that can do something."""
        return [name for name, model in self.models.items() if can(model.loaded)]

    def model(self, name: str) -> Model:
        """Return a model.

        Raises:
            ValueError: there is none of that name.
        """
        if name not in self.models:
            raise ValueError(f"no model {name!r} on this page: {', '.join(self.models)}")
        return self.models[name]

    def new_folder(self) -> Path:
        """Return an empty folder for a result; the oldest ones make room."""
        results = self.folder / "results"
        results.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=results))
        aged = sorted(results.iterdir(), key=lambda entry: entry.stat().st_mtime_ns)
        for old in aged[: -self.limits.kept]:
            shutil.rmtree(old, ignore_errors=True)
        return made

    @contextmanager
    def working(
        self, session: str, report: Callable[[str, int, int], None] = lambda what, done, total: None
    ) -> Iterator[None]:
        """Do one request: wait for the one before, watch the clock, let :meth:`stop` end it.

        Args:
            session: of the browser that asks.
            report: told of progress.

        Raises:
            StoppedError: it took too long or was stopped.
        """
        with self._worker:
            stop = self._running[session] = Stop(self.limits.seconds, report)
            try:
                with watched(stop):
                    yield
            finally:
                self._running.pop(session, None)

    def stop(self, session: str) -> bool:
        """Stop the request of a browser at its next step; return whether one was running."""
        running = self._running.get(session)
        if running is not None:
            running.ask()
        return running is not None
