"""How far a block is, on the bar of all blocks."""

from __future__ import annotations

from collections.abc import Callable


class Pace:
    """Moves a progress bar by the share done of one block; other ranks are taken to go at the same pace."""

    def __init__(self, advance: Callable[[], None], ticks: int, ranks: int) -> None:
        self.advance, self.ticks, self.ranks = advance, ticks, ranks
        self.shown = 0

    def __call__(self, share: float) -> None:
        """Show that ``share`` of the block, 0..1, is done."""
        while self.shown < int(share * self.ticks):
            self.shown += 1
            for _ in range(self.ranks):
                self.advance()
