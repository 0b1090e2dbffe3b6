"""Whether two accounts are one mailbox under two names (COPYING rule 1)."""

from collections.abc import Sequence

from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import Folder, Session
from libs.mailbox.sides import at
from services.scanner.accounts import Both

ASKED = 10  # folders whose numbers are compared when one looks the same
SAMPLED = 50  # the newest messages of one folder that are compared


def is_same_account(both: Both, folders: Sequence[Folder]) -> bool:
    """Compare one source folder that holds mail: MAILBOXID (RFC 8474), else UIDVALIDITY, UIDNEXT and sampled messages.

    Where no folder holds mail there is nothing to copy, and nothing to refuse.
    """
    for folder in folders:
        with at("source"):
            try:
                if not folder.selectable or not both.source.status(folder.wire).messages:
                    continue
                here = both.source.examine(folder.wire)
            except (FolderGone, FolderRefused):
                continue  # another folder will do
        with at("destination"):
            try:
                there = both.destination.examine(folder.wire)
            except (FolderGone, FolderRefused):
                return False
        if here.mailbox_id or there.mailbox_id:
            return here.mailbox_id == there.mailbox_id
        numbers = (here.uidvalidity, here.uidnext, here.exists)
        if numbers != (there.uidvalidity, there.uidnext, there.exists):
            return False
        with at("source"):
            newest_here = newest(both.source, here.uidnext)
        with at("destination"):
            equal = newest_here == newest(both.destination, there.uidnext)
        return equal and all(is_same_folder(both, one) for one in folders[:ASKED] if one.selectable)
    return False


def is_same_folder(both: Both, folder: Folder) -> bool:
    """Two small accounts that got the same mail in the same second differ in their other folders."""
    with at("source"):
        try:
            here = both.source.status(folder.wire)
        except (FolderGone, FolderRefused):
            return True  # says nothing
    with at("destination"):
        try:
            return both.destination.status(folder.wire) == here
        except (FolderGone, FolderRefused):
            return False


def newest(session: Session, uidnext: int | None) -> set[tuple[int, int, str]]:
    first = max(1, (uidnext or 1) - SAMPLED)
    return {(one.uid, one.size, one.internaldate) for one in session.listing(f"{first}:*", identity=False)}
