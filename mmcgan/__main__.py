"""``python -m mmcgan``: the same as the command ``mmcgan``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
