"""One process for a run: a command of ours, or a function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mmcgan.claims.run import LOG, Run

#: what measures: takes the run, and settings by name, and returns figures by name
Function = Callable[..., Mapping[str, float]]


@dataclass(frozen=True)
class Step(ABC):
    """What has to be done for a run, by a process of its own.

    Attributes:
        run: whose folder takes the output.
        what: in words.
        asks: what it will write into the run's report of that name; empty for nothing.
    """

    run: Run
    what: str
    asks: str = field(default="", kw_only=True)

    @abstractmethod
    def status(self, log: Path) -> int:
        """Do it to its end, with all output added to ``log``; return the exit status of the process."""

    def perform(self) -> None:
        """Do it to its end and note what was found.

        Raises:
            OSError: it failed; names the log.
        """
        log = self.run.folder / LOG
        if self.asks:
            self.run.expect(self.asks)
        status = self.status(log)
        if status != 0:
            raise OSError(f"{self.run.folder}: {self.what} ended with status {status}; see {log}")
        self.run.collect()


@dataclass(frozen=True)
class Command(Step):
    """A command of ours.

    Attributes:
        command: arguments of ``mmcgan``.
    """

    command: tuple[str, ...] = ()

    def status(self, log: Path) -> int:
        """Run it."""
        arguments = [sys.executable, "-m", "mmcgan", *self.command]
        with log.open("a") as output:
            process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT)
            try:
                return process.wait()
            except BaseException:
                process.terminate()  # it keeps its iteration
                process.wait()
                raise


@dataclass(frozen=True)
class Call(Step):
    """A function whose figures are kept.

    Attributes:
        function: defined at the top of a module, so that another process finds it.
        settings: given to it by name, beside the run.
    """

    function: Function = dict
    settings: Mapping[str, Any] = field(default_factory=dict)

    def status(self, log: Path) -> int:
        """Call it in a process of its own."""
        report = self.run.report(self.asks)
        arguments = (self.function, self.run, dict(self.settings), report, log)
        process = get_context("spawn").Process(target=_call, args=arguments)
        process.start()
        try:
            process.join()
        except BaseException:
            process.terminate()
            process.join()
            raise
        return int(process.exitcode or 0)


def _call(function: Function, run: Run, settings: Mapping[str, Any], report: Path, log: Path) -> None:
    from mmcgan.process import tune_process

    tune_process()
    with log.open("a") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        from mmcgan.checkpoints.atomic import write_file
        from mmcgan.plugins import load_plugins

        load_plugins()
        figures = {name: float(value) for name, value in function(run, **settings).items()}
        write_file(report, json.dumps({"metrics": figures}, indent=1))
        sys.stdout.flush()
