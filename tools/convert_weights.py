"""Convert weights of another codebase: ``python tools/convert_weights.py SRC DST``."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["convert"]))
