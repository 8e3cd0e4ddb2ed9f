"""The order of events in training: step, evaluate, save, stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

from mmengine.runner import BaseLoop
from torch.utils.data import DataLoader

from mmcgan.datasets.order import ResumableSampler
from mmcgan.engine.history import trim_histories
from mmcgan.engine.random_state import preserved_random_state
from mmcgan.engine.signals import EvaluationInterrupted
from mmcgan.engine.transfer import to_numbers
from mmcgan.registry import LOOPS

EVALUATED = "evaluated_at"


@LOOPS.register_module()
class GANTrainLoop(BaseLoop):
    """Iterations, one generator update each, with evaluation at intervals.

    After each iteration and its evaluation all hooks are asked for ``after_iteration``; the
    checkpoint hook saves there, so that a checkpoint knows the evaluation of its own weights. An
    evaluation that a stop has cut off is made up for by the run that resumes, and the hooks are asked
    again then, before anything else moves: what they decide after an evaluation concerns its weights.

    Args:
        runner: the runner.
        dataloader: a DataLoader or its config; to resume without reading skipped data its
            sampler must have ``start(position)``.
        max_iters: iterations in total.
        val_interval: evaluate every this many iterations, and at the end.
        val_begin: no evaluation before this iteration.

    Raises:
        ValueError: an iteration count or interval is not a positive integer.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: DataLoader[Any] | dict[str, Any],
        max_iters: int,
        val_interval: int = 1000,
        val_begin: int = 1,
    ) -> None:
        for name, value in (("max_iters", max_iters), ("val_interval", val_interval)):
            if value != int(value) or value < 1:
                raise ValueError(f"train_cfg.{name} must be a positive integer, got {value!r}")
        super().__init__(runner, dataloader)
        self._max_iters, self.val_interval, self.val_begin = int(max_iters), int(val_interval), val_begin
        self._iter = 0
        self._epoch = 0
        self.images_seen = 0  # by all ranks together
        self.stop_training = False
        self.runner.visualizer.dataset_meta = self.dataloader.dataset.metainfo

    @property
    def max_iters(self) -> int:
        """Iterations in total."""
        return self._max_iters

    @property
    def iter(self) -> int:
        """Iterations done."""
        return self._iter

    @property
    def max_epochs(self) -> int:
        """Always 1; MMEngine's hooks ask for it."""
        return 1

    @property
    def epoch(self) -> int:
        """Always 0; the data order has epochs, the training has not."""
        return self._epoch

    @property
    def images_per_iteration(self) -> int:
        """Real images that all ranks together consume in one iteration."""
        return int(self.dataloader.batch_size * self.runner.world_size)

    @property
    def owes_evaluation(self) -> bool:
        """Whether the present weights are to be evaluated and have not been."""
        return self._is_due() and self.runner.message_hub.runtime_info.get(EVALUATED) != self._iter

    def continue_from(self, iteration: int, images_seen: int) -> None:
        """Set the counts of a resumed run."""
        self._iter, self.images_seen = iteration, images_seen

    def run(self) -> Any:
        """Train until ``max_iters`` or a request to stop, and return the model."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        batches = self._batches()
        self.runner.restore_random_state()
        # asked to stop while everything was being built: the newest checkpoint is the state
        self.stop_training = self.stop_training or self.runner.stop_requested()
        if self._iter and not self.stop_training:
            self._make_up_for_evaluation()
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(batches))
            self.stop_training = self.stop_training or self.runner.stop_requested()
            if not self.stop_training:
                self._evaluate_if_due()
                self.stop_training = self.stop_training or self.runner.stop_requested()
            self._after_iteration()
        with self._whole_networks():
            self.runner.call_hook("after_train_epoch")
            self.runner.call_hook("after_train")
        return self.runner.model

    def run_iter(self, data_batch: Any) -> None:
        """Run one iteration and count it.

        Hooks may add scalars of the device to the step's figures (``before_transfer``) and get the numbers
        (``after_transfer``), before any hook is asked for ``after_train_iter``: what they want to know
        costs no wait of its own.
        """
        self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=data_batch)
        terms = self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)
        figures = dict(terms)
        self.runner.call_hook("before_transfer", figures=figures)
        numbers = to_numbers(figures)
        self.runner.call_hook("after_transfer", figures=numbers)
        outputs = {name: numbers[name] for name in terms}
        self.runner.call_hook(
            "after_train_iter", batch_idx=self._iter, data_batch=data_batch, outputs=outputs
        )
        trim_histories(self.runner.message_hub)
        self._iter += 1
        self.images_seen += self.images_per_iteration

    def _make_up_for_evaluation(self) -> None:
        """Evaluate where a stop has kept the run so far from it, and go on as it would have."""
        if not self.owes_evaluation:
            return
        self._evaluate_if_due()
        self.stop_training = self.stop_training or self.runner.stop_requested()
        if not self.owes_evaluation:  # else cut off again: what is on disk is still the state
            self._after_iteration()

    def _after_iteration(self) -> None:
        with self._whole_networks():
            self.runner.call_hook("after_iteration")

    def _is_due(self) -> bool:
        last = self._iter == self._max_iters
        due = self._iter >= self.val_begin and (last or self._iter % self.val_interval == 0)
        return due and self.runner.val_loop is not None

    def _evaluate_if_due(self) -> None:
        if not self._is_due():
            return
        with (
            self._whole_networks(),
            preserved_random_state(self.runner.model),
            suppress(EvaluationInterrupted),
            _agreed_stop(self.runner),
        ):
            self.runner.val_loop.run()
            self.runner.message_hub.update_info(EVALUATED, self._iter)

    def _whole_networks(self) -> AbstractContextManager[None]:
        """Let hooks use the networks on one rank alone, however they are spread over ranks in training."""
        exchange = getattr(self.runner, "exchange", None)
        whole: AbstractContextManager[None] = nullcontext() if exchange is None else exchange.whole()
        return whole

    def _batches(self) -> Iterator[Any]:
        """Return an endless iterator over the data that has not been consumed yet."""
        sampler = self.dataloader.sampler
        skip = self._iter
        if skip and isinstance(sampler, ResumableSampler):
            sampler.start(self.images_seen)
            skip = 0
        iterator = _Endless(self.dataloader)
        for _ in range(skip):
            next(iterator)
        return iterator


@contextmanager
def _agreed_stop(runner: Any) -> Iterator[None]:
    """Let all ranks give up an evaluation together, wherever each of them notices that it is to stop.

    A rank that notices leaves its batches. Ranks that reach the end of theirs ask, before the figures are
    computed together, whether somebody has left; who has left answers.
    """
    evaluator = runner.val_loop.evaluator
    compute = evaluator.evaluate

    def evaluate(size: int) -> Any:
        if runner.stop_requested():
            raise _Refused
        return compute(size)

    evaluator.evaluate = evaluate
    try:
        yield
    except _Refused:
        raise EvaluationInterrupted from None
    except EvaluationInterrupted:
        runner.stop_requested()
        raise
    finally:
        del evaluator.evaluate


class _Refused(Exception):
    """The ranks have agreed to give up the evaluation."""


class _Endless:
    """Start over when a finite loader runs out; workers start at construction."""

    def __init__(self, dataloader: DataLoader[Any]) -> None:
        self.dataloader = dataloader
        self.iterator = iter(dataloader)

    def __iter__(self) -> _Endless:
        return self

    def __next__(self) -> Any:
        try:
            return next(self.iterator)
        except StopIteration:
            self.iterator = iter(self.dataloader)
            return next(self.iterator)
