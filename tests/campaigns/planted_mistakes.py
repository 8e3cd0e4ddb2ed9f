"""Plants mistakes in configs, and counts those that are named before a work folder exists.

``python -m tests.campaigns.planted_mistakes [--each N] [--seed S]``: N mistakes of every config, drawn from
all that change one value (``tests/test_config/test_planted.py``), and the written list
(``tests/test_config/mistakes.py``) for the config that it is of. Prints a table; exit status 1 if one was
missed.
"""

from __future__ import annotations

import argparse
import random
import sys
import traceback
import warnings
from collections import Counter

from mmcgan.config.components import walk
from tests.test_config.mistakes import MISTAKES
from tests.test_config.test_planted import allowed, mistakes, planted_into, said_about

CONFIGS = (
    "omnigan_biggan_digits-16",
    "reacgan_biggan_fashion-mnist-32",
    "stylegan2-d2dce_digits-16",
    "r3gan_digits-16",
    "omni-inr_biggan_digits-16",
    "infogan_dcgan_digits-16",
    "spade-omni_scenes-64",
)
LISTED = CONFIGS[0]


def judged(path: str, value: object, name: str) -> tuple[str, str]:
    """Return ``named``, ``meant`` (no mistake), ``accepted`` or ``traceback``, and what it is about."""
    text = f"{path} = {value!r}"
    try:
        said = said_about(path, value, name)
    except Exception:
        return "traceback", f"{text}\n{traceback.format_exc()}"
    if said:
        return "named", text
    return ("accepted" if allowed([text]) else "meant"), text


def planted_in(name: str, each: int, seed: int) -> list[tuple[str, object]]:
    """Return the mistakes of a config: a draw of all, and the written ones."""
    config = planted_into(name)._cfg_dict
    # keys with dots are names of somebody's own
    dotless = {node.path for node in walk(config) if not any("." in key for key in node.path)}
    every = [
        (".".join(path), value)
        for path, value in mistakes(config)
        if path[:-1] in dotless and not any(key.isdecimal() for key in path) and "." not in path[-1]
    ]
    drawn = random.Random(seed).sample(every, min(each, len(every)))
    return drawn + [row for rows in MISTAKES.values() for row in rows if name == LISTED]


def main() -> int:
    """Run and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    total: Counter[str] = Counter()
    print("| config | planted | named | accepted | traceback |\n|---|---|---|---|---|")
    missed = []
    for name in CONFIGS:
        rows = [judged(path, value, name) for path, value in planted_in(name, arguments.each, arguments.seed)]
        counts = Counter(kind for kind, _ in rows if kind != "meant")
        missed += [f"{name}: {kind}: {text}" for kind, text in rows if kind in ("accepted", "traceback")]
        total += counts
        print(row_of(name, counts), flush=True)
    print(row_of("together", total))
    print("\n".join(missed), file=sys.stderr)
    return bool(missed)


def row_of(name: str, counts: Counter[str]) -> str:
    """Return a line of the table."""
    figures = [sum(counts.values()), *(counts[kind] for kind in ("named", "accepted", "traceback"))]
    return f"| {name} | " + " | ".join(map(str, figures)) + " |"


if __name__ == "__main__":
    sys.exit(main())
