"""What earlier work on a job has done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from libs.contracts import uidset
from libs.contracts.ids import FolderId, JobId, PlanId
from libs.readmodel.port import Store
from libs.readmodel.rows import AckRow, PlanRow, TotalsRow

SourceMessage = tuple[str, int, int]  # source folder (wire), its UIDVALIDITY, UID


def delivered(plan: PlanRow, acks: Iterable[AckRow]) -> set[SourceMessage]:
    """What was delivered under a plan."""
    return {
        (plan.sources[ack.source].wire, plan.sources[ack.source].uidvalidity, uid)
        for ack in acks
        for uid in uidset.decode(ack.source_uids)
    }


@dataclass(frozen=True, slots=True)
class Earlier:
    """The newest plan of each folder, and the totals under it."""

    plans: Sequence[PlanRow]
    totals: Mapping[PlanId, TotalsRow]

    @classmethod
    def of(cls, store: Store, job_id: JobId) -> "Earlier":
        return cls(store.plans(job_id), store.totals(job_id))

    def number(self, folder_id: FolderId) -> int:
        """Of the plan to announce again; 1 where there is none."""
        return next((plan.number for plan in self.plans if plan.folder_id == folder_id), 1)

    def settled(self, run: int) -> set[FolderId]:
        """Folders in which that run of the job has nothing to do (any more)."""
        return {
            plan.folder_id
            for plan in self.plans
            if plan.plan_id in self.totals and self.totals[plan.plan_id].settled(run)
        }

    @property
    def bytes_completed(self) -> int:
        return sum(self.totals[plan.plan_id].bytes_completed for plan in self.plans if plan.plan_id in self.totals)
