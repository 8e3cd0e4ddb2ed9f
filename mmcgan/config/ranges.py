"""Which numbers an argument may be, by its name: one table for components of ours, torch's and strangers'.

A constructor says more (what does not fit together, what a class alone allows); this table finds, before
anything is built, what no component of that name could mean. A class may say otherwise of its own arguments::

    ranges: ClassVar[Mapping[str, Range]] = {"eps": Range(least=0, most=1)}
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmcgan.config.components import STRUCTURES, Node
from mmcgan.config.problems import Problem, dotted
from mmcgan.contracts import declared


@dataclass(frozen=True)
class Range:
    """The numbers from ``least`` to ``most``.

    Attributes:
        least, most: None for no bound.
        above: ``least`` itself does not belong to it.
        below: ``most`` itself does not belong to it.
        whole: whole numbers only.
    """

    least: float | None = None
    most: float | None = None
    above: bool = False
    below: bool = False
    whole: bool = False

    def holds(self, value: float) -> bool:
        """Return whether a number belongs to it; NaN never does."""
        if math.isnan(value) or (self.whole and value != int(value) if math.isfinite(value) else self.whole):
            return False
        low = self.least is None or value > self.least or (value == self.least and not self.above)
        high = self.most is None or value < self.most or (value == self.most and not self.below)
        return low and high

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        parts = []
        if self.least is not None:
            parts.append(f"{'greater than' if self.above else 'of at least'} {_shown(self.least)}")
        if self.most is not None:
            parts.append(f"{'less than' if self.below else 'at most'} {_shown(self.most)}")
        return " ".join([kind, " and ".join(parts)]).strip()


def _shown(bound: float) -> str:
    """Return a bound with all of its digits, however large: 4294967295, and not 4.29497e+09."""
    return str(int(bound)) if math.isfinite(bound) and bound == int(bound) else f"{bound:g}"


COUNT = Range(least=1, whole=True)  # how many, how large, how often
COUNT_OR_NONE = Range(least=0, whole=True)  # how many, none included
POSITIVE = Range(least=0, above=True)
NOT_NEGATIVE = Range(least=0)
SHARE = Range(least=0, most=1)  # probabilities and decays

RANGES: dict[str, Range] = {
    **dict.fromkeys(
        (
            *(
                "interval",
                "val_interval",
                "max_iters",
                "max_keep",
                "median_of",
                "patience",
                "splits",
            ),
            *(
                "batch_size",
                "base_batch_size",
                "image_size",
                "max_images",
                "points",
                "clusters",
                "runs",
                "step_size",
            ),
            *("base_channels", "channel_base", "max_channels", "embed_dim", "style_dim", "latent_dim"),
            *("shared_dim", "label_dim", "num_layers", "mapping_layers", "minibatch_channels", "T_max"),
            *("n_critic", "d_accumulation", "g_accumulation", "generator_batch_size", "num_scales", "k"),
            *(
                "expansion",
                "kernel_size",
                "prefetch_factor",
                "hidden_channels",
                "window_size",
                "resource_limit",
            ),
        ),
        COUNT,
    ),
    **dict.fromkeys(
        (
            *(
                "opencv_num_threads",
                "num_classes",
                "instance_dim",
                "instance_embedding_dim",
                "num_attributes",
            ),
            *("code_dim", "start", "val_begin", "warmup", "freeze_stages", "minibatch_group", "dim"),
            *("full_precision_stages", "begin"),
        ),
        COUNT_OR_NONE,
    ),
    # of a picture that is drawn every so often
    **dict.fromkeys(("rows", "columns"), Range(least=1, most=1000, whole=True)),
    "seed": Range(least=0, most=2**32 - 1, whole=True),  # NumPy's
    **dict.fromkeys(
        (
            "half_life_images",
            "ramp_up",
            "temperature",
            "kimg",
            "gamma",
            "max_norm",
            "T_mult",
            "clip_value",
        ),
        POSITIVE,
    ),
    **dict.fromkeys(
        ("weight_decay", "eps", "eta_min", "min_lr", "lr_mult", "decay_mult", "truncation", "timeout"),
        NOT_NEGATIVE,
    ),
    **dict.fromkeys(
        (
            *("mean_decay", "style_mixing", "flip_probability", "p", "prob", "probability"),
            *("dropout", "dampening"),
        ),
        SHARE,
    ),
    "momentum": SHARE,
    # of an average; at 1 it never moves
    "decay": Range(least=0, most=1, below=True),
    # what nobody waits for, or trains with
    "lr": Range(least=0, most=1000, above=True),
    "size": Range(least=1, most=10**9, whole=True),
    "num_workers": Range(least=0, most=1024, whole=True),
    # of Adam's betas, each
    "betas": Range(least=0, most=1, below=True),
    "milestones": COUNT_OR_NONE,
    "labels": COUNT_OR_NONE,
}
#: Arguments that infinity is a value of: the maximum norm of clipping.
ENDLESS = ("norm_type",)
#: Dicts that are settings of something without a ``type``, whatever stands around them.
SETTINGS = ("clip_grad", "batch_norm", "output_batch_norm", "spectral_norm", "implicit", "auto_scale_lr")
#: Tables for a place: penalties have a weight that is not negative; that of a loss may be.
BY_PLACE: dict[tuple[str, ...], dict[str, Range]] = {
    ("model", "regularizers"): {"weight": NOT_NEGATIVE},
    ("optim_wrapper",): {"alpha": SHARE, "rho": SHARE, "lambd": NOT_NEGATIVE, "lr_decay": NOT_NEGATIVE},
    ("param_scheduler",): {
        **dict.fromkeys(("eta_min_ratio", "factor", "start_factor", "end_factor"), SHARE),
        **{"power": POSITIVE, "periods": COUNT, "restart_weights": NOT_NEGATIVE, "pct_start": SHARE},
    },
}


def range_of(node: Node, key: str) -> Range | None:
    """Return the range of an argument; None if any number will do."""
    own: Mapping[str, Range] = declared(node.component, "ranges")
    if key in own:
        return own[key]
    for place, table in BY_PLACE.items():
        if node.path[: len(place)] == place and key in table:
            return table[key]
    return RANGES.get(key)


def range_problems(node: Node) -> Iterator[Problem]:
    """Yield the numbers of ``node`` that are out of their range, and those that are not a number (NaN)."""
    path = dotted(node.path)
    named = node.component is not None or path in STRUCTURES or node.path[-1] in SETTINGS
    for key, value in node.config.items():
        # the keys of other dicts are free names, or arguments that their owner knows
        allowed = range_of(node, str(key)) if named else None
        for number in numbers_in(value):
            if math.isnan(number):
                yield Problem(dotted((*node.path, str(key))), f"is not a number (NaN): {value!r}")
                break
            if math.isinf(number) and key not in ENDLESS and not _is_default(node, key, value):
                yield Problem(dotted((*node.path, str(key))), f"must be a finite number, got {value!r}")
                break
            if allowed is not None and not allowed.holds(number) and not _is_default(node, key, value):
                yield Problem(dotted((*node.path, str(key))), f"must be {allowed}, got {value!r}")
                break


def numbers_in(value: Any) -> Iterator[float]:
    """Yield the number, or those of a list; true and false are none."""
    for element in value if isinstance(value, list | tuple) else (value,):
        if isinstance(element, int | float) and not isinstance(element, bool):
            # a number of hundreds of digits is beyond what a float counts
            yield element if abs(element) <= sys.float_info.max or element != element else math.inf


def _is_default(node: Node, key: str, value: Any) -> bool:
    """Return whether a value is what the component itself takes without it (-1 for "all", say)."""
    parameters = node.parameters or {}
    return key in parameters and parameters[key].default == value
