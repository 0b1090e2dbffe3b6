"""Destination names that are one mailbox, as the aliases of a namespace are (COPYING rule 1)."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import Namespace, Session
from libs.mailbox.sides import at
from services.scanner.naming import FolderMapping, Side, share
from services.scanner.same_account import SAMPLED


def join_aliases(mappings: Sequence[FolderMapping], destination: Side, session: Session) -> list[FolderMapping]:
    """Mappings whose destination folders are one become one.

    Costs nothing where fewer than two are there, and one STATUS for each where no two have the same numbers. Without
    MAILBOXID (RFC 8474) names are one mailbox when they are the same name in two personal namespaces, with the same
    numbers and mail. Numbers and mail alone prove nothing: two folders of Courier that got the same mail in the same
    second have them too. One that is empty can't be told from another one.
    """
    known = {folder.name: folder.wire for folder in destination.folders}
    there = [mapping.destination_name for mapping in mappings if mapping.destination_name in known]
    if len(there) < 2:
        return list(mappings)
    alike: defaultdict[tuple[int, int | None, int], dict[str, str]] = defaultdict(dict)
    same: dict[str, str] = {}
    with at("destination"):
        statuses = session.statuses([known[name] for name in there])
        for name in there:
            status = statuses.get(known[name])
            if status and status.uidvalidity is not None:
                alike[status.uidvalidity, status.uidnext, status.messages][name] = known[name]
        for wires in alike.values():
            if len(wires) > 1:
                same |= _same(wires, destination.namespace, session)
    return share(mappings, same)


def _same(wires: Mapping[str, str], namespace: Namespace, session: Session) -> dict[str, str]:
    """Of each name that is another one's mailbox, the first such name."""
    first: dict[Hashable, str] = {}
    same: dict[str, str] = {}
    for name, wire in wires.items():
        if (mark := _mark(session, wire, namespace.within(name))) is None:
            continue
        if (earlier := first.setdefault(mark, name)) != name:
            same[name] = earlier
    session.unselect()
    return same


def _mark(session: Session, wire: str, within: str) -> Hashable:
    """What only one mailbox has; None where nothing tells. `within`: its name in its namespace.

    EXAMINE is asked for the MAILBOXID: Cyrus 3.6 answers STATUS with bytes that are none.
    """
    try:
        selected = session.examine(wire)
    except (FolderGone, FolderRefused):
        return None
    if selected.mailbox_id or not selected.exists:
        return selected.mailbox_id
    newest = f"{max(1, (selected.uidnext or 1) - SAMPLED)}:*"
    return within, tuple(session.listing(newest, identity=True))
