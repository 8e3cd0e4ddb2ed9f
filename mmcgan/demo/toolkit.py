"""Gradio, the library that the page is made with: an extra, imported when a page is built."""

from __future__ import annotations

import os
from typing import Any


def gradio() -> Any:
    """Return the module, told to send no figures about its use.

    Raises:
        ImportError: it is not installed; names the extra.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        import gradio as module
    except ImportError as error:
        raise ImportError(
            f'mmcgan demo needs {error.name or "gradio"}: python3 -m pip install "mmcgan[demo]"'
        ) from error
    return module
