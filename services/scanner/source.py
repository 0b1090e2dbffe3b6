"""A source folder of a plan, and what of it is to be copied."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from libs.contracts import uidset
from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import LARGE, Listed, Session
from libs.mailbox.sides import at
from libs.readmodel.rows import PlanSource
from services.scanner.everything import only_there
from services.scanner.unidentified import Unidentified

GONE = 0  # the UIDVALIDITY of a source folder that is no longer there


@dataclass(slots=True)
class Source:
    wire: str
    others: tuple[str, ...] = ()  # folders whose mail this one shows too: it is left out
    uidvalidity: int = GONE
    itself: bool = False  # it can't be opened, or made at the destination: the copier says why
    uidnext: int = 0
    exists: int = 0
    listed: int = 0
    uids: "array[int]" = field(default_factory=lambda: array("L"))  # 8 bytes a message: folders may be large
    large: list[int] = field(default_factory=list[int])
    # Of the UIDs, and never sent: above the destination's APPENDLIMIT, and those that it may hold already.
    refused: list[Listed] = field(default_factory=list[Listed])
    unconfirmed: list[Listed] = field(default_factory=list[Listed])
    keywords: frozenset[str] = frozenset()

    def add(self, listed: Listed, limit: int | None) -> None:
        """To what is to be copied."""
        self.uids.append(listed.uid)
        if limit is not None and listed.size > limit:
            self.refused.append(listed)
        elif listed.size > LARGE:
            self.large.append(listed.uid)

    def leave(self, listed: Listed) -> None:
        self.uids.append(listed.uid)
        self.unconfirmed.append(listed)

    @property
    def bytes_left(self) -> int:
        return sum(one.size for one in (*self.refused, *self.unconfirmed))

    @property
    def row(self) -> PlanSource:
        return PlanSource(
            wire=self.wire,
            uidvalidity=self.uidvalidity,
            uids=uidset.encode(sorted(self.uids)),
            large=uidset.encode(sorted(self.large)),
            uidnext=self.uidnext if self.listed == self.exists else 0,
            exists=self.exists,
            itself=self.itself,
        )


def open_source(session: Session, source: Source) -> bool:
    """Whether there is anything to be listed in a source folder, which is open then."""
    with at("source"):
        try:
            selected = session.examine(source.wire)
        except FolderGone:
            return False
        except FolderRefused:
            source.itself = True
            return False
    source.uidvalidity, source.uidnext, source.exists = selected.uidvalidity, selected.uidnext or 0, selected.exists
    source.keywords = selected.keywords
    return selected.exists > 0


def list_source(session: Session, source: Source, unidentified: Unidentified, *, identity: bool) -> Iterator[Listed]:
    """The listing of the source folder that is open."""
    with at("source"):
        if source.others:
            listed = list(unidentified.listing(session, "source", source.wire))
            found = only_there(session, source.wire, source.others, listed, unidentified)
        elif identity:
            found = unidentified.listing(session, "source", source.wire)
        else:
            found = session.listing(identity=False)
        for one in found:
            source.listed += 1
            yield one
