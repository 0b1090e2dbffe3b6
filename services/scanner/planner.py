"""Plan one destination folder: list both sides, drop what is there already, make the folder (COPYING rules 1 to 4).

Reads with EXAMINE only; the destination folder is the one thing it creates, and a dry run does not even that.
"""

from collections.abc import Collection, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import chain

from libs.contracts.ids import PlanId
from libs.contracts.jobs import JobOptions
from libs.contracts.survives import Survives
from libs.mailbox.names import encode_name
from libs.mailbox.port import Listed
from libs.mailbox.recognise import key
from libs.mailbox.sides import at
from libs.readmodel.rows import FolderRow, PlanRow
from services.scanner.accounts import Both
from services.scanner.comparison import Comparison
from services.scanner.destination import NOT_CREATED, Made, create, list_destination
from services.scanner.earlier import SourceMessage
from services.scanner.filters import kept
from services.scanner.matching import Matching, Undecided
from services.scanner.naming import INBOX
from services.scanner.planned import Found, Planned, planned
from services.scanner.source import Source, list_source, open_source
from services.scanner.unidentified import Unidentified

MOST_LOSSES = 2_000  # of the connection at one message alone; then losing it once more is no progress


class Planning:
    """Of one folder. When a connection breaks, `plan` again: what was learned of the folder is kept.

    `delivered` is left out, whether or not the destination still holds it. `survives`: what the destination keeps of
    a message; `previous`: the plan that this one replaces. A dry run makes no folder.
    """

    def __init__(
        self,
        folder: FolderRow,
        options: JobOptions,
        *,
        plan_id: PlanId,
        number: int,
        now: datetime,
        delivered: Collection[SourceMessage] = (),
        survives: Survives = "bytes",
        previous: PlanRow | None = None,
    ) -> None:
        self.folder = folder
        self._options = options
        self._dry_run = options.mode == "dry_run"
        self._plan_id = plan_id
        self._number = number
        self._now = now
        self._delivered = delivered
        self._survives: Survives = survives
        self._previous = previous
        self._unidentified = Unidentified()
        self._found: Found | None = None
        self._comparison: Comparison | None = None

    @property
    def progress(self) -> int:
        """It has grown when an attempt that failed has learned something nevertheless."""
        losses, read = self._unidentified.losses, 0
        if self._comparison:
            losses, read = losses + self._comparison.losses, self._comparison.read
        return min(losses, MOST_LOSSES) + read

    def rename(self, name: str) -> None:
        """The destination folder gets another name."""
        self.folder = replace(self.folder, destination_name=name, destination_wire=encode_name(name))
        self._found = self._comparison = None

    def plan(self, both: Both) -> Planned:
        """
        Raises:
            SideFailed: one of the accounts could not be read.
        """
        if self._found is None or self._comparison is None:
            self._found, self._comparison = self._list(both)
        found = self._found
        for decided in self._comparison.decide(both):
            for one in decided.absent:
                self._copy(found, one.source, one.listed)
            for one in decided.unconfirmed:
                found.leave(one.source, one.listed)
        if self.folder.subscribe and found.made.uidvalidity != NOT_CREATED and not self._dry_run:
            with at("destination"):
                both.destination.subscribe(self.folder.destination_wire)
        return planned(
            self.folder,
            found,
            plan_id=self._plan_id,
            number=self._number,
            now=self._now,
            survives=self._survives,
            previous=self._previous,
            dry_run=self._dry_run,
            quota="QUOTA" in both.destination.capabilities,
        )

    def _list(self, both: Both) -> tuple[Found, Comparison]:
        """While one side is read, the other one opens the first source folder, then makes the destination's."""
        folder, options, unidentified = self.folder, self._options, self._unidentified
        matching = Matching(self._survives, unidentified.sizes)
        sources = [Source(wire) for wire in folder.source_wires] if options.mode != "folders_only" else []
        if sources:
            sources[-1].others = folder.less_wires
        with ThreadPoolExecutor(1, thread_name_prefix="scanner-aside") as aside:
            opening = aside.submit(open_source, both.source, sources[0]) if sources else None
            held = list_destination(both.destination, folder.destination_wire, matching, unidentified)
            with at("destination"):
                limit = both.destination.append_limit(folder.destination_wire if held.selected else INBOX)
            to_make = not (held.selected or self._dry_run)
            making = aside.submit(create, both.destination, folder) if to_make else None
            found = Found(sources, held, Made.of(held.selected) if held.selected else Made(), limit)
            for index, source in enumerate(sources):
                if opening.result() if opening and not index else open_source(both.source, source):
                    for one in list_source(both.source, source, unidentified, identity=bool(matching)):
                        found.listed.add(one)
                        if kept(one, options):
                            found.wanted.add(one)
                            if not matching.claim(index, one):
                                self._copy(found, index, one)
            if making:
                found.made = making.result()
        deep, by_bytes = options.verify == "deep", self._survives == "bytes"
        undecided = chain(matching.undecided(deep=deep and by_bytes), list(near(folder, matching, both, unidentified)))
        return found, Comparison(folder.source_wires, folder.destination_wire, undecided, by_bytes=by_bytes)

    def _copy(self, found: Found, index: int, one: Listed) -> None:
        source = found.sources[index]
        if (source.wire, source.uidvalidity, one.uid) not in self._delivered:
            found.copied.add(one)
            source.add(one, found.limit)


def near(folder: FolderRow, matching: Matching, both: Both, unidentified: Unidentified) -> Iterator[Undecided]:
    """What differs from a message at the destination in its size alone: the bytes will tell."""
    if not matching.near:
        return
    held: dict[Hashable, list[int]] = {}
    with at("destination"):
        both.destination.examine(folder.destination_wire)
        for listed in unidentified.listing(both.destination, "destination", folder.destination_wire):
            headers = key(listed, "headers")
            if headers in matching.near:
                held.setdefault(headers, []).append(listed.uid)
        both.destination.unselect()
    for headers, members in matching.near.items():
        yield Undecided(members, held.get(headers, []))
