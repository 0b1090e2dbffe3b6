"""Destination names that are one mailbox, as the aliases of a namespace are (COPYING rule 1)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import Folder, Session
from libs.mailbox.sides import at
from services.scanner.naming import FolderMapping, share
from services.scanner.same_account import SAMPLED


def join_aliases(
    mappings: Sequence[FolderMapping], known: Mapping[str, Folder], destination: Session
) -> list[FolderMapping]:
    """Mappings whose destination folders are one become one. `known`: the folders that are there, by name.

    Costs nothing where fewer than two are there, and one STATUS for each where no two have the same numbers. What has
    no MAILBOXID (RFC 8474) and holds no mail can't be told from another one that is empty.
    """
    there = [mapping.destination_name for mapping in mappings if mapping.destination_name in known]
    if len(there) < 2:
        return list(mappings)
    alike: defaultdict[tuple[int, int | None, int], list[str]] = defaultdict(list)
    same: dict[str, str] = {}
    with at("destination"):
        statuses = destination.statuses([known[name].wire for name in there])
        for name in there:
            status = statuses.get(known[name].wire)
            if status and status.uidvalidity is not None:
                alike[status.uidvalidity, status.uidnext, status.messages].append(name)
        for names in alike.values():
            if len(names) > 1:
                same |= _same(names, known, destination)
    return share(mappings, same)


def _same(names: Sequence[str], known: Mapping[str, Folder], session: Session) -> dict[str, str]:
    """Folders that were made and filled at once may have the same numbers: of each name that is another one's mailbox,
    the first such name."""
    first: list[tuple[object, str]] = []
    same: dict[str, str] = {}
    for name in names:
        if (mark := _mark(session, known[name].wire)) is None:
            continue
        earlier = next((other for found, other in first if found == mark), None)
        if earlier is None:
            first.append((mark, name))
        else:
            same[name] = earlier
    session.unselect()
    return same


def _mark(session: Session, wire: str) -> object:
    """What only one mailbox has; None where nothing tells.

    EXAMINE is asked for the MAILBOXID: Cyrus 3.6 answers STATUS with bytes that are none.
    """
    try:
        selected = session.examine(wire)
    except (FolderGone, FolderRefused):
        return None
    if selected.mailbox_id or not selected.exists:
        return selected.mailbox_id
    return list(session.listing(f"{max(1, (selected.uidnext or 1) - SAMPLED)}:*", identity=True))
