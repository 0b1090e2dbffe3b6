"""The destination folder of a plan: what it holds, or how it is made."""

from dataclasses import dataclass

from libs.mailbox.errors import FolderFailing, FolderGone, FolderRefused
from libs.mailbox.port import Selected, Session
from libs.mailbox.sides import at
from libs.readmodel.rows import FolderRow
from services.scanner.matching import Matching
from services.scanner.unidentified import Unidentified

NOT_CREATED = 0  # the destination's UIDVALIDITY in a plan whose folder the server would not create


@dataclass(frozen=True, slots=True)
class Held:
    """None selected: there is no such folder yet, or none that can be opened, so that another name is tried."""

    selected: Selected | None = None
    boundary: int = 1  # B: the highest UID seen + 1 (COPYING rule 2)
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The destination folder after CREATE, if it was sent; the server's words when it would not make it."""

    uidvalidity: int = NOT_CREATED
    uidnext: int = 0  # 0: the server did not say
    exists: int = 0
    refusal: str | None = None
    failing: bool = False  # it was an error of the server's own, which may pass

    @classmethod
    def of(cls, selected: Selected) -> "Made":
        return cls(uidvalidity=selected.uidvalidity, uidnext=selected.uidnext or 0, exists=selected.exists)


def list_destination(session: Session, wire: str, matching: Matching, unidentified: Unidentified) -> Held:
    with at("destination"):
        try:
            selected = session.examine(wire)
        except (FolderGone, FolderRefused):
            return Held()
        highest = count = 0
        if selected.exists:
            for listed in unidentified.listing(session, "destination", wire):
                highest = max(highest, listed.uid)
                count += 1
                matching.hold(listed)
        session.unselect()
        return Held(selected, highest + 1, count)


def create(session: Session, folder: FolderRow) -> Made:
    """Make the folder. One that is refused is planned nevertheless: the copier says why, message by message."""
    with at("destination"):
        try:
            session.create(folder.destination_wire, folder.special_use or None)
            selected = session.examine(folder.destination_wire)
        except (FolderRefused, FolderGone) as error:
            return Made(refusal=error.server_text, failing=isinstance(error, FolderFailing))
        session.unselect()
        return Made.of(selected)
