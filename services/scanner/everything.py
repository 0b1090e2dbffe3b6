"""What a folder of all mail holds that lies in no other folder: mail that was archived out of every folder."""

from collections import Counter
from collections.abc import Iterator, Sequence

from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import Listed, Session
from services.scanner.matching import identity
from services.scanner.unidentified import Unidentified


def only_there(
    session: Session, wire: str, others: Sequence[str], listed: Sequence[Listed], unidentified: Unidentified
) -> list[Listed]:
    """Those of `listed` (with identity) that no other folder shows. The folder is examined anew.

    Gmail numbers its messages: one that has several labels lies in several folders and is one message
    still. Elsewhere each message of another folder answers for one equal message here.
    """
    if "X-GM-EXT-1" in session.capabilities:
        elsewhere = {number for _ in _opened(session, others) for number in session.gmail_ids().values()}
        session.examine(wire)
        numbers = session.gmail_ids()
        return [one for one in listed if numbers.get(one.uid) not in elsewhere]
    held = Counter(
        identity(one, "bytes")
        for other in _opened(session, others)
        for one in unidentified.listing(session, "source", other)
    )
    session.examine(wire)
    left: list[Listed] = []
    for one in listed:
        key = identity(one, "bytes")
        if held[key]:
            held[key] -= 1
        else:
            left.append(one)
    return left


def _opened(session: Session, wires: Sequence[str]) -> Iterator[str]:
    """Each folder in turn. What can't be opened is not copied from there, so it does not count."""
    for wire in wires:
        try:
            selected = session.examine(wire)
        except (FolderGone, FolderRefused):
            continue
        if selected.exists:
            yield wire
