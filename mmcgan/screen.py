"""Tables and bars on the screen: one console, that no trouble with the screen ends the work of.

Lines go through :func:`mmcgan.text_files.say`, which does the same and does not import rich.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO, cast

from rich import console
from rich.segment import Segment

from mmcgan.text_files import UNHEARD, encodable, nobody_reads

#: columns where none are known, or 0: ``COLUMNS=0`` of shells without a terminal
WIDTH = 80


class Console(console.Console):
    """Rich's console, but quiet once its reader has gone, where rich's ends the program.

    Letters that the stream's encoding lacks are shown as escapes; a width of 0 counts as :data:`WIDTH`.

    Args:
        stderr: write to standard error in place of standard output.
        soft_wrap: do not break lines.
        highlight: colour numbers and the like.
    """

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False, highlight: bool = True) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, highlight=highlight)
        if self.width < 1:
            self.width = WIDTH

    def on_broken_pipe(self) -> None:
        """Say nothing any more: a training, or a file that is still to be written, goes on."""
        self.quiet = True
        UNHEARD.add(cast(TextIO, self.file))

    def _write_buffer(self) -> None:
        try:
            super()._write_buffer()
        except OSError as error:
            if not nobody_reads(error):
                raise
            self.on_broken_pipe()  # rich knows of pipes, not of terminals

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return encodable(super()._render_buffer(buffer), self.encoding)
