"""Check every golden case under a folder: ``tools/check_parity.py DIR [--strict]``."""

import sys

from mmcgan.parity.cli import main

if __name__ == "__main__":
    sys.exit(main())
