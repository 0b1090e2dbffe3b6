"""Destination names that are one mailbox, as the aliases of a namespace are (COPYING rule 1)."""

from collections.abc import Mapping, Sequence

from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import Folder, Listed, Session, Status
from libs.mailbox.sides import at
from services.scanner.naming import FolderMapping, share
from services.scanner.same_account import SAMPLED


def join_aliases(
    mappings: Sequence[FolderMapping], known: Mapping[str, Folder], destination: Session
) -> list[FolderMapping]:
    """Mappings whose destination folders are one become one. `known`: the folders that are there, by name.

    Costs nothing where fewer than two are there. What has no MAILBOXID (RFC 8474) and holds no mail can't be told
    from another one that is empty.
    """
    there = [mapping.destination_name for mapping in mappings if mapping.destination_name in known]
    if len(there) < 2:
        return list(mappings)
    with at("destination"):
        statuses = destination.statuses([known[name].wire for name in there])
        first: dict[object, str] = {}
        same: dict[str, str] = {}
        for name in there:
            status = statuses.get(known[name].wire)
            mark = status and _mark(status)
            if mark is None:
                continue
            if mark not in first:
                first[mark] = name
            elif isinstance(mark, str) or _is_one(destination, known[first[mark]].wire, known[name].wire):
                same[name] = first[mark]
    return share(mappings, same)


def _mark(status: Status) -> str | tuple[int, int, int] | None:
    """What is equal where two names are one mailbox; None where that can't be told."""
    if status.mailbox_id:
        return status.mailbox_id
    if status.uidvalidity is None or status.uidnext is None or not status.messages:
        return None
    return status.uidvalidity, status.uidnext, status.messages


def _is_one(session: Session, one: str, other: str) -> bool:
    """Two folders that were made and filled at once may have the same numbers: the newest messages are compared."""
    found: list[list[Listed]] = []
    for wire in (one, other):
        try:
            selected = session.examine(wire)
        except (FolderGone, FolderRefused):
            return False
        first = max(1, (selected.uidnext or 1) - SAMPLED)
        found.append(list(session.listing(f"{first}:*", identity=True)))
    session.unselect()
    return found[0] == found[1]
