"""The work items of one job in one copier: those that wait, and those that run."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from libs.contracts.commands import CopyFolder
from libs.contracts.ids import FolderId
from libs.eventlog.consume import Delivery
from services.copier.hold import Hold
from services.copier.pace import Pace
from services.copier.slots import Slots
from services.copier.work_item import Setting, WorkItem


@dataclass(slots=True)
class Waiting:
    """A delivery that no thread has taken yet; its time of being held runs from here."""

    delivery: Delivery
    message: CopyFolder
    hold: Hold


@dataclass(slots=True)
class JobWork:
    """A folder has at most one running item, an account one job (COPYING rule 6)."""

    waiting: deque[Waiting] = field(default_factory=deque[Waiting])
    running: dict[FolderId, WorkItem] = field(default_factory=dict[FolderId, WorkItem])
    slots: Slots = field(default_factory=Slots)
    pace: Pace = field(default_factory=Pace)

    def may_begin(self) -> Iterator[Waiting]:
        """In the order they came."""
        return (one for one in self.waiting if one.hold.lease.holds() and one.message.folder_id not in self.running)

    def begin(self, waiting: Waiting, setting: Setting) -> WorkItem:
        item = WorkItem(waiting.message, setting, waiting.hold, self.pace, self.slots)
        self.waiting.remove(waiting)
        self.running[waiting.message.folder_id] = item
        return item
