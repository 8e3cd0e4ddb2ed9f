"""A generator as ONNX: ``mmcgan export`` as a script."""

from mmcgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main(prefix=["export"]))
