"""Which jobs can have ended, as far as one process has seen: it spares questions and answers none."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from libs.contracts.events import AgentReported, FolderPlanned, FoldersListed, Progress, WorkItemFinished
from libs.contracts.ids import FolderId, JobId

KEPT = 1_000  # jobs; of a forgotten one nothing is known


@dataclass(slots=True)
class _Seen:
    folders: int | None = None  # None: its listing was not seen
    finished: set[FolderId] = field(default_factory=set[FolderId])  # under whatever plan


class Ends:
    """A job ends when the newest plan of each folder is finished. One with a folder of which no plan has finished
    lives; what else is needed is asked of ClickHouse (30 ms of CPU, otherwise spent twice a folder).

    Whoever has missed events, after a rebalance, may think that a job lives which has ended: the sweep ends it.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[JobId, _Seen] = OrderedDict()

    def possible(self, events: Iterable[Progress]) -> set[JobId]:
        """The jobs that these events may have ended; the same again for a repeat."""
        touched: set[JobId] = set()
        stopped: set[JobId] = set()  # a cancelled job ends with the items under way, an agent's when it says so
        for event in events:
            match event:
                case FoldersListed():
                    self._job(event.job_id).folders = event.folders
                case WorkItemFinished():
                    self._job(event.job_id).finished.add(event.folder_id)
                    if event.stopped:
                        stopped.add(event.job_id)
                case AgentReported():
                    if event.state not in (None, "running"):
                        stopped.add(event.job_id)
                    continue
                case FolderPlanned():
                    pass
                case _:
                    continue
            touched.add(event.job_id)
        return stopped | {job_id for job_id in touched if self._may_have_ended(job_id)}

    def _may_have_ended(self, job_id: JobId) -> bool:
        seen = self._seen.get(job_id)
        return seen is None or seen.folders is None or len(seen.finished) >= seen.folders

    def _job(self, job_id: JobId) -> _Seen:
        seen = self._seen.setdefault(job_id, _Seen())
        self._seen.move_to_end(job_id)
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        return seen
