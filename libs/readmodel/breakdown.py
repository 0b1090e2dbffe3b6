"""The rows of a job's breakdown: its destination folders, or the types of entity its agent reports. Pure."""

from typing import Literal

from libs.contracts.ids import FolderId
from libs.contracts.views import BreakdownRow
from libs.readmodel.numbers import Entity, FolderNames, FolderProgress, Head, Numbers
from libs.readmodel.sums import as_of_now

RowState = Literal["waiting", "planned", "copying", "done", "failed"]


def breakdown(numbers: Numbers) -> list[BreakdownRow]:
    if numbers.agent is not None:
        return [_entity(entity, numbers.head) for entity in numbers.entities]
    names = {folder.folder_id: folder for folder in numbers.names}
    progress = {folder.folder_id: folder for folder in as_of_now(numbers)}
    order = sorted(names.keys() | progress.keys(), key=lambda folder_id: (len(folder_id), folder_id))
    return [
        _folder(names.get(each), progress.get(each), _state_of(numbers, each, progress.get(each))) for each in order
    ]


def _folder(names: FolderNames | None, progress: FolderProgress | None, state: RowState) -> BreakdownRow:
    return BreakdownRow(
        kind="folder",
        name=", ".join(names.source_names) if names else "",
        destination_name=names.destination_name if names else None,
        state=state,
        items_total=progress.items_total if progress else None,
        items_completed=progress.completed if progress else 0,
        items_skipped=progress.skipped if progress else 0,
        items_failed=progress.failed if progress else 0,
        items_remaining=progress.items_total - progress.done if progress else None,
        items_verified=progress.verified if progress else 0,
        bytes_total=progress.bytes_total if progress else None,
        bytes_completed=progress.bytes_completed if progress else 0,
    )


def _entity(entity: Entity, head: Head) -> BreakdownRow:
    """Agents count entities apart from items and give no totals of them."""
    live: RowState = "copying" if entity.reported else "waiting"
    return BreakdownRow(
        kind="entity",
        name=entity.name,
        destination_name=None,
        state="done" if entity.reported and head.outcome is not None else live,
        items_total=None,
        items_completed=entity.imported,
        items_skipped=entity.skipped,
        items_failed=entity.errored,
        items_remaining=None,
        items_verified=0,
        bytes_total=None,
        bytes_completed=0,
    )


def _state_of(numbers: Numbers, folder_id: FolderId, progress: FolderProgress | None) -> RowState:
    if folder_id in {failure.folder_id for failure in numbers.failures}:
        return "failed"
    if progress is None:
        return "waiting"
    if numbers.head.mode == "dry_run":
        return "planned"
    if progress.finished and not progress.stopped:
        return "done"
    return "planned" if progress.reported_at is None else "copying"
