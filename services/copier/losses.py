"""Messages at which the connection is lost again and again: tried alone, at the folder's end, and then given up.

A server may end the connection instead of refusing what it can't take or hand out, or its refusal may be lost with
it; or it is the connection. After so many losses of one command its halves are tried, and after so many of one
message alone it is put off: what comes after it is copied first, and then it is tried once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.accounts import Side
from services.copier.ledger import Ref

LOSSES_OF_A_BATCH = 3
LOSSES_OF_A_MESSAGE = 5


@dataclass(slots=True)
class _Lost:
    """In a row: commands to `side` that began with one message and held `size`."""

    side: Side
    size: int
    count: int = 0


class Losses:
    """Of one folder. The reader and who appends may write at once: they never write of the same message."""

    def __init__(self) -> None:
        self.put_off: set[Ref] = set()
        self.given_up: dict[Ref, Side] = {}
        self._lost: dict[Ref, _Lost] = {}

    def lost(self, side: Side, refs: Sequence[Ref]) -> bool:
        """The connection ended in a command with these; whether it is time to try fewer at once."""
        first = refs[0]
        known = self._lost.get(first)
        if known is None or (known.side, known.size) != (side, len(refs)):
            known = self._lost[first] = _Lost(side, len(refs))
        known.count += 1
        if len(refs) == 1 and known.count > LOSSES_OF_A_MESSAGE:
            self.given_up[first] = side
        elif len(refs) == 1 and known.count == LOSSES_OF_A_MESSAGE:
            self.put_off.add(first)
        return known.count >= LOSSES_OF_A_BATCH

    def suspects(self, source: int) -> set[int]:
        """UIDs of this source folder that are read in a command of their own."""
        return {ref.uid for ref, lost in self._lost.items() if lost.side == "source" and ref.source == source}
