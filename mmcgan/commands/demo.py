"""``mmcgan demo``: a page in the browser on which models are tried."""

from __future__ import annotations

import argparse


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = (
        "Serve a page on this machine on which models are tried: sample, mix, condition on photos, paint "
        "label maps, restore, explore, compare. It loads nothing from elsewhere (extra demo)."
    )
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="shipped models, files of weights, https:// or hf:// addresses (default: all that ship)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address of this machine to serve on; others than this one let others in (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, metavar="N", help="default: the first free one from 7860 on")
    parser.add_argument(
        "--share", action="store_true", help="give the page a public address too, through Gradio's servers"
    )


def run(arguments: argparse.Namespace) -> None:
    """Serve until it is interrupted."""
    from mmcgan.demo.serve import Address, serve

    port = arguments.port
    if port is not None and not 0 < port < 1 << 16:
        raise ValueError(f"--port {port}: must be in 1..65535")
    serve(arguments.models, Address(arguments.host, port, arguments.share))
