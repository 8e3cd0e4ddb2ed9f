"""Check every golden case under a folder: ``tools/check_parity.py DIR [--strict]``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkers are test code, not in the wheel

from tests.parity.cli import main

if __name__ == "__main__":
    sys.exit(main())
