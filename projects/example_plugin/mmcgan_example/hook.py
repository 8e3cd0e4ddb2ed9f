"""A hook of one's own, as in docs/extending/hook.md."""

from mmengine.hooks import Hook

from mmcgan.registry import HOOKS


@HOOKS.register_module()
class PrintLossHook(Hook):
    """Prints the terms of every ``interval``-th iteration."""

    changes_training = False

    def __init__(self, interval: int = 100) -> None:
        self.interval = interval

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        """Print."""
        if self.every_n_train_iters(runner, self.interval):
            terms = {name: float(value) for name, value in (outputs or {}).items()}
            runner.logger.info(f"iteration {runner.iter + 1}: {terms}")
