"""Is mmcgan right and fast on this machine's accelerator? One command, one JSON, one table.

    python tools/dev/check_device.py [--device cuda] [--golden DIR ...] [--out FOLDER] [--quick]

Parity of all golden cases on the device; exact resuming in float32, bfloat16 and float16 with its scaler;
compile; two ranks that share the device against one process; memory by batch size; images per second of
six configs beside the bare convolutions and matrix products of the same step. Each part runs in a process
of its own: what fails, crashes or hangs is a row. Works on a CPU, too; ``--quick`` takes seconds.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the checkers are test code, not in the wheel

import torch
from mmengine.registry import init_default_scope

from mmcgan.checkpoints.atomic import write_file
from mmcgan.progress import progress_bar
from tools.dev.device.correctness import compiled, parity, precisions, two_ranks
from tools.dev.device.isolate import Part, Row, Settings, run_part
from tools.dev.device.speed import memory, throughput

ROOT = Path(__file__).resolve().parents[2]
PARTS: dict[str, Part] = {
    "exact resuming": precisions,
    "two ranks, one device": two_ranks,
    "memory": memory,
    "speed": throughput,
    "compile": compiled,
    "parity": parity,
}
SECONDS = {False: 3600.0, True: 240.0}


def environment(settings: Settings) -> list[Row]:
    """Return what the machine and the libraries are."""
    figures: dict[str, float | str] = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
    }
    if settings.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        figures |= {
            "device": properties.name,
            "GiB": properties.total_memory / 2**30,
            "capability": f"{properties.major}.{properties.minor}",
            "cudnn": torch.backends.cudnn.version() or 0,
            "nccl": ".".join(map(str, torch.cuda.nccl.version())),
            "bfloat16": str(torch.cuda.is_bf16_supported(including_emulation=False)),
        }
    return [Row("environment", settings.device, "figure", figures)]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    lines = ["| part | case | result | figures | reason |", "|---|---|---|---|---|"]
    for row in rows:
        figures = ", ".join(f"{k} {_short(v)}" for k, v in row.figures.items())
        cells = (row.part, row.case, row.status, figures, row.reason)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _short(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--device", choices=("cuda", "cpu"), help="by default cuda where it is available")
    parser.add_argument(
        "--golden", type=Path, nargs="+", default=[ROOT / "tests" / "data" / "golden"], metavar="DIR"
    )
    parser.add_argument("--out", type=Path, default=Path("device_check"), help="folder to write to")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), metavar="PART")
    parser.add_argument("--quick", action="store_true", help="seconds; proves the tool only")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts; write ``device.json`` and ``device.md``; status 1 if anything failed."""
    given = parse(argv)
    device = given.device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        print("--device cuda: torch finds no CUDA device here", file=sys.stderr)
        return 2
    init_default_scope("mmcgan")
    parts = given.parts or list(PARTS)
    settings = Settings(device, given.quick, tuple(given.golden), SECONDS[given.quick])
    rows = run_part("environment", environment, settings)[:-1]
    with progress_bar(f"checking {device}", len(parts)) as advance:
        for name in parts:
            rows += run_part(name, PARTS[name], settings)
            write(given.out, rows)
            advance()
    print(table(rows))
    failed = sum(row.status == "fail" for row in rows)
    print(f"{failed} failed of {len(rows)} rows; {given.out}/device.json, {given.out}/device.md")
    return int(failed > 0)


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Write what is known so far, so that a machine that is taken away leaves its results."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps([asdict(row) for row in rows], indent=1) + "\n"
    write_file(folder / "device.json", content)
    write_file(folder / "device.md", table(rows))


if __name__ == "__main__":
    sys.exit(main())
