"""Writes the report of a run when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook

from mmcgan.comparison.environment import environment
from mmcgan.comparison.report import write_report
from mmcgan.comparison.starts import FINISHED, Start, ways_of, write_evaluation, write_figures, write_start
from mmcgan.registry import HOOKS


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``report.html`` into the work folder when a run ends, stopped ones included.

    Beside the log it keeps ``start.json``, when and on what the run was started and how that ended,
    ``evaluation.json``, the last evaluation's report with its counts, and ``figures.json``, which figures
    there were and which way each is better. The page can be made again at any time, and of a killed run, with
    ``mmcgan report``. Whatever fails here is a line in the log and costs nothing else. Switched off with
    ``default_hooks.report=None``. Rank 0 writes.
    """

    # after the last picture and the last checkpoint
    priority = "LOWEST"
    changes_training = False

    def __init__(self) -> None:
        self.start: Start | None = None
        self.figures: dict[str, str | None] = {}

    def before_train(self, runner: Any) -> None:
        """Write down when and on what the run starts."""
        self._attempt(runner, "start.json", self._begin)

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Keep the figures' names and what the evaluator says of them; one may say nothing."""
        if runner.is_training and metrics:
            self.figures |= ways_of(metrics)
            self._attempt(runner, "figures.json", self._name)
        self._attempt(runner, "evaluation.json", self._keep)

    def after_train(self, runner: Any) -> None:
        """Write the page."""
        self._attempt(runner, "report.html", self._end)

    def _attempt(self, runner: Any, what: str, write: Callable[[Any], None]) -> None:
        if runner.rank != 0:
            return
        try:
            write(runner)
        except Exception as error:  # no page is worth a run
            runner.logger.warning(f"{what} was not written ({type(error).__name__}: {error})")

    def _begin(self, runner: Any) -> None:
        self.start = Start(time.time(), runner.iter, environment(runner))
        write_start(Path(runner.log_dir), self.start)

    def _keep(self, runner: Any) -> None:
        report = getattr(runner.val_loop.evaluator, "report", None)
        if runner.is_training and report is not None:
            write_evaluation(Path(runner.log_dir), runner.iter, report())

    def _name(self, runner: Any) -> None:
        write_figures(Path(runner.log_dir), self.figures)

    def _end(self, runner: Any) -> None:
        if self.start is not None:
            how = getattr(getattr(runner, "stop_signal", None), "name", None) or FINISHED
            images = getattr(runner.train_loop, "images_seen", None)  # of a loop of ours
            self.start = self.start.end(runner.iter, images, how)
            write_start(Path(runner.log_dir), self.start)
        page = write_report(Path(runner.work_dir))
        runner.logger.info(f"report: {page}")
