"""List both accounts and decide which destination folders the job has."""

from collections.abc import Sequence
from dataclasses import dataclass

from libs.contracts.ids import FolderId, JobId
from libs.contracts.jobs import JobOptions
from libs.contracts.reasons import Reason
from libs.mailbox.errors import AccountUnusable
from libs.mailbox.names import encode_name
from libs.mailbox.port import STATUS_SIZE, Folder, Quota, Session
from libs.mailbox.sides import SideFailed, at
from libs.readmodel.rows import FolderRow, QuotaRow, WarningRow
from services.scanner import naming, preflight
from services.scanner.accounts import Both
from services.scanner.aliases import join_aliases
from services.scanner.same_account import is_same_account


@dataclass(frozen=True, slots=True)
class Listing:
    folders: list[FolderRow]
    warnings: list[WarningRow]
    quota: QuotaRow | None = None


def list_folders(job_id: JobId, options: JobOptions, both: Both) -> Listing:
    """
    Raises:
        SideFailed: an account could not be read, or both are the same mailbox.
    """
    with at("source"):
        source = naming.Side(folders=both.source.folders(), namespace=both.source.namespace())
    with at("destination"):
        destination = naming.Side(folders=both.destination.folders(), namespace=both.destination.namespace())
    if is_same_account(both, source.folders):
        raise SideFailed("destination", AccountUnusable(Reason.SAME_ACCOUNT))
    mappings = naming.map_folders(
        source, destination, folder_map=options.folder_map, include=options.include, exclude=options.exclude
    )
    mappings = join_aliases(mappings, destination, both.destination)
    with at("destination"):
        quota = both.destination.quota()
    with at("source"):
        held = held_at(both.source, mappings) if quota.bytes_free is not None and _wants_all(options) else Quota()
    said = [
        *preflight.joined(mappings),
        preflight.names_changed(mappings, source, destination),
        preflight.shared(source),
        preflight.too_small(held, quota),
    ]
    known = {folder.name: folder for folder in destination.folders}
    # Who subscribes to nothing has a program that shows every folder.
    subscribes = any(folder.subscribed for folder in source.folders)
    return Listing(
        folders=[
            folder_row(job_id, number, mapping, known.get(mapping.destination_name), subscribes=subscribes)
            for number, mapping in enumerate(mappings, 1)
        ],
        warnings=[WarningRow.of(job_id, number, notice) for number, notice in enumerate(filter(None, said), 1)],
        quota=QuotaRow(job_id=job_id, bytes_free=quota.bytes_free, messages_free=quota.messages_free),
    )


def held_at(source: Session, mappings: Sequence[naming.FolderMapping]) -> Quota:
    """What the source says that it uses: of its quota, or in the folders that are copied."""
    quota = source.quota()
    if quota.bytes_used is not None or STATUS_SIZE not in source.capabilities:
        return quota
    wires = [folder.wire for mapping in mappings if not mapping.less for folder in mapping.sources]
    return Quota(bytes_used=sum(status.bytes or 0 for status in source.statuses(wires, size=True).values()))


def _wants_all(options: JobOptions) -> bool:
    chosen = options.include or options.exclude or options.since or options.before or options.max_item_bytes
    return options.mode != "folders_only" and not chosen


def folder_row(
    job_id: JobId, number: int, mapping: naming.FolderMapping, existing: Folder | None, *, subscribes: bool
) -> FolderRow:
    """`subscribes`: the source account has subscriptions."""
    subscribed = any(folder.subscribed for folder in mapping.sources)
    return FolderRow(
        job_id=job_id,
        folder_id=FolderId(str(number)),
        source_wires=tuple(folder.wire for folder in mapping.sources),
        source_names=tuple(folder.name for folder in mapping.sources),
        destination_wire=existing.wire if existing else encode_name(mapping.destination_name),
        destination_name=mapping.destination_name,
        special_use=mapping.special_use or "",
        subscribe=subscribed and not existing.subscribed if existing else subscribed or not subscribes,
        less_wires=tuple(folder.wire for folder in mapping.less),
    )
