"""A plan over two accounts in memory, as the copier's parts take it."""

from collections.abc import Callable, Sequence

from libs.contracts import uidset
from libs.contracts.ids import FolderId, JobId, PlanId
from libs.mailbox.port import Session
from libs.readmodel.rows import PlanRow, PlanSource
from tests.mail.model import MailboxModel


def plan_of(
    sources: Sequence[PlanSource], *, destination_uidvalidity: int = 1, boundary: int = 1, wire: str = "INBOX"
) -> PlanRow:
    return PlanRow(
        job_id=JobId("job"),
        folder_id=FolderId("1"),
        plan_id=PlanId("plan"),
        number=1,
        destination_wire=wire,
        destination_uidvalidity=destination_uidvalidity,
        boundary=boundary,
        sources=tuple(sources),
        items=sum(uidset.count(source.uids) for source in sources),
        bytes=0,
        skipped_present=0,
        skipped_filtered=0,
        bytes_skipped=0,
    )


def whole(model: MailboxModel, *wires: str) -> list[PlanSource]:
    """Everything in these folders."""
    return [
        PlanSource(wire=wire, uidvalidity=folder.uidvalidity, uids=uidset.encode(sorted(folder.messages)))
        for wire, folder in ((wire, model.folders[wire]) for wire in wires)
    ]


def sessions(model: MailboxModel) -> Callable[[], Session]:
    """One connection, whoever asks."""
    session = model.connect()
    return lambda: session
