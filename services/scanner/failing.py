"""A scan that failed for good."""

from datetime import UTC, datetime

from libs.contracts import topics
from libs.contracts.events import ScanFailed
from libs.contracts.ids import FolderId
from libs.eventlog.port import EventLog
from libs.mailbox.sides import SideFailed
from libs.readmodel.port import Store
from libs.readmodel.rows import RequestRow, ScanFailureRow


def tell_failure(
    store: Store, eventlog: EventLog, request: RequestRow, failed: SideFailed, folder_id: FolderId | None = None
) -> None:
    """What the server said goes to ClickHouse, the class of it to the log."""
    row = ScanFailureRow(
        job_id=request.job_id,
        side=failed.side,
        reason=failed.error.reason,
        server_text=failed.error.server_text,
        folder_id=folder_id,
        run=request.run,
    )
    store.write([row], now=datetime.now(UTC))
    event = ScanFailed(job_id=row.job_id, side=row.side, reason=row.reason, folder_id=row.folder_id, run=row.run)
    eventlog.append(topics.PROGRESS, request.job_id, event)
