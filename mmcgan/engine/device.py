"""What a run asks of its device beside the model: TF32 and batch norms over all ranks."""

from __future__ import annotations

import torch
from mmengine.model import convert_sync_batchnorm
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def set_tensor_float32(allowed: bool | None) -> None:
    """Let CUDA multiply float32 matrices and convolve in TF32, forbid both, or (None) keep torch's choice.

    TF32 keeps 10 of 23 bits of each factor: several times as fast on tensor cores, relative errors of
    about 1e-3. torch allows it for convolutions and not for matrix products.

    Raises:
        ValueError: neither a truth value nor None.
    """
    if allowed is None:
        return
    if not isinstance(allowed, bool):
        raise ValueError(f"env_cfg.tf32 must be True, False or None, got {allowed!r}")
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def synchronized(model: nn.Module, implementation: str) -> nn.Module:
    """Return ``model`` with batch norms over all ranks, each in the mode (training or not) it was in.

    Raises:
        ValueError: a batch norm keeps its statistics by a rule of its own, which would be lost.
    """
    norms = {name: m for name, m in model.named_modules() if isinstance(m, _BatchNorm)}
    plain = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    others = [f"{name} ({type(m).__name__})" for name, m in norms.items() if type(m) not in plain]
    if others:
        raise ValueError(
            f"sync_bn={implementation!r}: {others[0]} and {len(others) - 1} more keep statistics by a rule "
            "of their own, which torch's synchronised norm has not; leave sync_bn out"
        )
    modes = {name: norm.training for name, norm in norms.items()}
    converted = convert_sync_batchnorm(model, implementation)
    for name, training in modes.items():
        converted.get_submodule(name).train(training)
    return converted
