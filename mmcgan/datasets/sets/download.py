"""Downloads through torchvision, once per job."""

from __future__ import annotations

from collections.abc import Callable

from mmengine.dist import barrier, is_main_process


def download_once(fetch: Callable[[], object], name: str) -> None:
    """Run ``fetch`` on the main process while the others wait.

    Raises:
        FileNotFoundError: the download failed; names the data set and the reason.
    """
    if is_main_process():
        try:
            fetch()
        except (RuntimeError, OSError) as error:
            raise FileNotFoundError(f"{name}: the download failed: {error}") from error
    barrier()
