"""Run ``docs/quickstart.ipynb`` and keep what it shows (extra ``docs``).

    python tools/dev/run_notebook.py            # run it, write the outputs into it
    python tools/dev/run_notebook.py --check    # run it, write nothing; status 1 if a cell fails

Cells run in a folder that is thrown away. What goes to standard error is not kept: it
names files of the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"
SECONDS = 300


def executed(path: Path = NOTEBOOK) -> Any:
    """Return the notebook with the outputs of every cell.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; says which and how.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3")
        client.execute(cwd=folder)
    return cleaned(notebook)


def cleaned(notebook: Any) -> Any:
    """Return the notebook without standard error, bars of progress, times of running and second copies."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _passing(output)]
            for output in cell.outputs:
                output.get("data", {}).pop("image/jpeg", None)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def _passing(output: Any) -> bool:
    """Return whether an output is of the moment: messages, or what a bar of progress left."""
    bar = output.output_type == "display_data" and "text/html" in output.data
    return output.get("name") == "stderr" or bar


def main() -> int:
    """Run the notebook, and write it unless it is only checked."""
    import nbformat

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    arguments = parser.parse_args()
    notebook = executed()
    if not arguments.check:
        nbformat.write(notebook, NOTEBOOK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
