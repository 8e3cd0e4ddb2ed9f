"""Draw logged figures of runs: ``mmcgan plot`` as a script."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["plot"]))
