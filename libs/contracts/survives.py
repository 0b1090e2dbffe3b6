"""What of a message is the same after a server has stored it."""

from collections.abc import Iterable
from typing import Literal, get_args

# Strongest first: its bytes; the digest of its main headers and its size; that digest alone; its Message-ID alone.
Survives = Literal["bytes", "size", "headers", "message_id", "none"]

STRENGTHS: tuple[Survives, ...] = get_args(Survives)


def weakest(found: Iterable[Survives]) -> Survives | None:
    """None when nothing was found."""
    return max(found, key=STRENGTHS.index, default=None)


def recognises_by_headers(survives: Survives) -> bool:
    """Whether sizes and bytes at the destination say nothing of the source's."""
    return STRENGTHS.index(survives) >= STRENGTHS.index("headers")
