"""Folders that need not be listed: both sides are as an earlier job, still remembered, left them.

A plan says what was there when it was made: UIDVALIDITY, UIDNEXT and the number of messages on both sides. UIDs only
grow, so the same UIDNEXT means that nothing came, and the same number of messages that nothing went. Of the
destination the plan's own messages are expected on top, each verified there after it was copied.

Whatever does not fit, or is not known, means that the folder is listed: a message the user deleted at the
destination, mail of somebody else, one message that failed.
"""

from dataclasses import replace

from libs.contracts.ids import FolderId, JobId, PlanId
from libs.contracts.jobs import JobOptions
from libs.mailbox.errors import FolderGone, FolderRefused
from libs.mailbox.port import Session
from libs.mailbox.sides import at
from libs.readmodel.port import Remembered
from libs.readmodel.rows import FolderRow, PlanRow
from services.scanner.accounts import Both


def plan_unchanged(
    folder: FolderRow, options: JobOptions, both: Both, remembered: Remembered, *, plan_id: PlanId
) -> PlanRow | None:
    """The plan of a folder in which nothing has changed since then; None: list it.

    Raises:
        SideFailed: one of the accounts could not be read.
    """
    plan = remembered.plan
    if _chooses(options) != _chooses(remembered.options) or folder.source_wires != tuple(
        one.wire for one in plan.sources
    ):
        return None
    if folder.less_wires:
        return None  # what it holds beyond other folders changes with them
    if options.verify == "deep" and remembered.options.verify != "deep":
        return None
    exists, uidnext = plan.destination_exists + plan.items, plan.destination_uidnext + plan.items
    if not plan.destination_uidnext:
        return None
    with at("destination"):
        if not _is(both.destination, plan.destination_wire, plan.destination_uidvalidity, uidnext, exists):
            return None
    with at("source"):
        for one in plan.sources:
            if not one.uidnext or not _is(both.source, one.wire, one.uidvalidity, one.uidnext, one.exists):
                return None
    return _again(plan, folder.job_id, folder.folder_id, plan_id, uidnext=uidnext, exists=exists)


def _is(session: Session, wire: str, uidvalidity: int, uidnext: int, messages: int) -> bool:
    try:
        status = session.status(wire)
    except (FolderGone, FolderRefused):
        return False
    return (status.uidvalidity, status.uidnext, status.messages) == (uidvalidity, uidnext, messages)


def _again(plan: PlanRow, job_id: JobId, folder_id: FolderId, plan_id: PlanId, *, uidnext: int, exists: int) -> PlanRow:
    """A plan of nothing: what that one copied is there now."""
    return replace(
        plan,
        job_id=job_id,
        folder_id=folder_id,
        plan_id=plan_id,
        number=1,
        boundary=uidnext,
        destination_uidnext=uidnext,
        destination_exists=exists,
        sources=tuple(replace(one, uids="", large="") for one in plan.sources),
        items=0,
        bytes=0,
        skipped_present=plan.skipped_present + plan.items,
        bytes_skipped=plan.bytes_skipped + plan.bytes,
    )


def _chooses(options: JobOptions) -> tuple[object, ...]:
    """What decides which messages of a folder are copied."""
    return options.mode, options.since, options.before, options.max_item_bytes
