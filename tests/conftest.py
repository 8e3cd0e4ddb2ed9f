"""Shared by all tests: programs started by a test find the package under test."""

import os
import random
import sys
import zlib
from pathlib import Path

import pytest

from mmcgan.process import keep_freed_memory

ROOT = Path(__file__).resolve().parent.parent
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
keep_freed_memory()  # as the command does: else the kernel fills pages with zeros for a tenth of the time
if "PYTEST_XDIST_WORKER" in os.environ:
    # Tests run side by side, a process per core: more threads than that would wait for each other.
    os.environ["OMP_NUM_THREADS"] = "1"
else:
    # yapf, which mmengine's configs import, writes its grammar to a file of the user's at the first import
    # after it was installed; of two processes that do so at once, one reads half a file and dies with
    # EOFError. So the process that starts the others imports it first.
    import yapf.yapflib.yapf_api  # noqa: F401


def pytest_collection_modifyitems(items):
    """Run what forks ranks first: after an export to ONNX torch cannot differentiate in forks."""
    items.sort(key=lambda item: not hasattr(getattr(item, "module", None), "run_ranks"))


@pytest.fixture(autouse=True)
def own_draws(request):
    """Let a test draw the same numbers whichever tests, in whichever worker, ran before it."""
    seed = zlib.crc32(request.node.nodeid.encode())
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
