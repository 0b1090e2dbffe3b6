"""Jobs as the api and the workers would write them, and a log that remembers."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from libs.contracts.codec import Message
from libs.contracts.events import Delta, FolderPlanned, FoldersListed, ProgressBatch, WorkItemFinished
from libs.contracts.ids import AccountDigest, FolderId, JobId, PlanId, key_hash, new_job_id
from libs.contracts.jobs import JobOptions, Limits
from libs.contracts.topics import Topic
from libs.eventlog.consume import Delivery
from libs.readmodel.rows import AdmissionRow, DesiredRow, FolderRow, RequestRow, Row

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)


def at(seconds: float) -> datetime:
    """That long after a moment ten minutes before the run."""
    return START + timedelta(seconds=seconds)


def request(job_id: JobId, **change: Any) -> RequestRow:
    row = RequestRow(
        job_id=job_id,
        kind="mailbox",
        key_hash=key_hash(f"key of {job_id}"),
        view_key_hash=key_hash(f"view key of {job_id}"),
        name=None,
        project=None,
        source_host="imap.old.example",
        destination_host="imap.new.example",
        account_digest=AccountDigest(f"account of {job_id}"),
        source_digest=AccountDigest(f"source of {job_id}"),
        options=JobOptions(),
        created_at=at(0),
        accepted=True,
    )
    return replace(row, **change)


def requested(job_id: JobId, **change: Any) -> list[Row]:
    return [request(job_id, **change), DesiredRow(job_id=job_id, state="run", limits=Limits())]


def admitted(job_id: JobId, *folders: str, account: str | None = None) -> list[Row]:
    """A job the scanner has taken, and its folders: "1" comes from "Folder 1", …"""
    digest = AccountDigest(account or f"account of {job_id}")
    rows: list[Row] = [*requested(job_id, account_digest=digest)]
    rows.append(AdmissionRow(job_id=job_id, account_digest=digest, admitted_at=at(1)))
    return rows + [folder(job_id, each) for each in folders]


def folder(job_id: JobId, folder_id: str, **change: Any) -> FolderRow:
    row = FolderRow(
        job_id=job_id,
        folder_id=FolderId(folder_id),
        source_wires=(f"wire{folder_id}",),
        source_names=(f"Folder {folder_id}",),
        destination_wire=f"there{folder_id}",
        destination_name=f"There {folder_id}",
    )
    return replace(row, **change)


def listed(job_id: JobId, folders: int) -> FoldersListed:
    return FoldersListed(job_id=job_id, folders=folders)


def planned(job_id: JobId, folder_id: str = "1", *, items: int, skipped: int = 0, number: int = 1) -> FolderPlanned:
    return FolderPlanned(
        job_id=job_id,
        folder_id=FolderId(folder_id),
        plan_id=plan_id(folder_id, number),
        number=number,
        items=items,
        bytes=items * 100,
        skipped=skipped,
        bytes_skipped=skipped * 100,
    )


def progress(
    job_id: JobId,
    folder_id: str = "1",
    *,
    completed: int,
    failed: int = 0,
    skipped: int = 0,
    new: int = 1,
    number: int = 1,
) -> ProgressBatch:
    return ProgressBatch(
        job_id=job_id,
        folder_id=FolderId(folder_id),
        plan_id=plan_id(folder_id, number),
        worker="copier-1",
        completed=completed,
        skipped=skipped,
        failed=failed,
        bytes_completed=completed * 100,
        delta=Delta(items=new, bytes=new * 100, seconds=1.0),
    )


def finished(
    job_id: JobId,
    folder_id: str = "1",
    *,
    completed: int,
    failed: int = 0,
    skipped: int = 0,
    number: int = 1,
    stopped: bool = False,
) -> WorkItemFinished:
    return WorkItemFinished(
        job_id=job_id,
        folder_id=FolderId(folder_id),
        plan_id=plan_id(folder_id, number),
        worker="copier-1",
        completed=completed,
        skipped=skipped,
        failed=failed,
        bytes_completed=completed * 100,
        stopped=stopped,
    )


def plan_id(folder_id: str, number: int = 1) -> PlanId:
    return PlanId(f"plan{number}-{folder_id}")


def new_job() -> JobId:
    return new_job_id()


def deliveries(*messages: Message, offset: int = 0, when: Callable[[int], datetime] = at) -> list[Delivery]:
    """As the log delivers them, from `offset` on; each a second after the one before."""
    return [
        Delivery(message=message, key=message.job_id, partition=0, offset=each, at=when(each), acknowledge=lambda: None)
        for each, message in enumerate(messages, offset)
    ]


class Log:
    """An `EventLog` that keeps what was appended to it."""

    def __init__(self) -> None:
        self.appended: list[tuple[str, Message]] = []

    def append(self, topic: Topic, key: str, message: Message) -> None:
        self.append_all(topic, [(key, message)])

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        self.appended += [(topic.name, message) for key, message in messages if key]

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None: ...

    def close(self) -> None: ...

    def of(self, job_id: JobId) -> list[Message]:
        return [message for _, message in self.appended if message.job_id == job_id]


def bytes_in(directory: Path) -> bytes:
    """Everything in its files, read twice: a merge may move rows past a single reading."""
    read: list[bytes] = []
    for folder, _, names in [*os.walk(directory), *os.walk(directory)]:
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # it went away meanwhile
                read.append(Path(folder, name).read_bytes())
    return b"\n".join(read)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)
