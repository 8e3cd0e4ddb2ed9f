"""Changes settings of a run that is to go on, one at a time, and compares what comes of it with what has to.

``python -m tests.campaigns.changed_settings [NAME...]``: cases of ``tests/test_engine/changed_settings.py``.
Prints a line for each that went otherwise, and counts; exit status 1 if one did.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.test_engine.changed_settings import CASES
from tests.test_engine.judged_changes import judge, stopped_run


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="Change settings of a run that is to go on.")
    parser.add_argument("names", nargs="*", help="cases; all if none is named")
    names = parser.parse_args().names or list(CASES)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        run = stopped_run(Path(folder) / "untouched")
        for number, name in enumerate(names):
            faults = judge(name, run, Path(folder) / str(number))
            counts[f"{CASES[name].verdict}, {'otherwise' if faults else 'as it has to be'}"] += 1
            for fault in faults:
                print(f"{name}: {fault}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return int(any("otherwise" in what for what in counts))


if __name__ == "__main__":
    sys.exit(main())
