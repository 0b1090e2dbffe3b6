"""The real api and the real pages over job views made up for a picture: also states that no server gives on demand."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import sin
from typing import Any

import uvicorn
from cryptography.fernet import Fernet

from libs.contracts.accounts import Account
from libs.contracts.ids import JobId
from libs.contracts.jobs import ENDED, STATE_TEXT, JobState, Limits
from libs.contracts.notices import (
    DatesLost,
    DryRunBlind,
    FolderRefused,
    FoldersJoined,
    KeywordsLost,
    MessagesRewritten,
    MessagesTooLarge,
    NameNotTaken,
    NamesChanged,
    Notice,
    Renamed,
    TooLittleRoom,
)
from libs.contracts.reasons import WHAT_TO_DO, Reason
from libs.contracts.schedule import Rate as Limit
from libs.contracts.views import BatchRow, BreakdownRow, FailureRow, Hold, JobView, RemainingSeconds, Snapshot
from libs.mailbox.errors import AccountUnusable
from libs.mailbox.port import Folder, Status
from libs.runtime.health import Health
from libs.vault.recipients import Recipients
from services.api.app import create_app
from services.api.deps import Deps
from services.api.rates import Rate
from tests.api.fakes import FakeLog, FakeReadModel, FakeVault
from tests.mail.ports import free_port

OPERATOR = "operator-token-of-the-stage"
PEOPLE = ("Anna Lindqvist", "Ben Okafor", "Jürgen Groß", "田中 葵", "Zoë Martin", None)
SLOW_DOWN = "[OVERQUOTA] Too many commands, try again in 5 minutes."
REFUSED = "[ALERT] App password required: https://support.old-harbour.example/app-passwords (Failure)"
NOTICES: list[Notice] = [
    FoldersJoined(folder="Archiv/2024", sources=("INBOX.Archiv.2024", "INBOX.archiv.2024"), more=0),
    NameNotTaken(folder="CON", destination="CON_"),
    FolderRefused(folder="Outbox", messages=3, server_text="NO [CANNOT] Mailbox name is reserved"),
    MessagesRewritten(survives="headers"),
    DatesLost(),
]
DRY_RUN_NOTICES: list[Notice] = [
    NamesChanged(renamed=(Renamed(source="INBOX.家族", destination="家族"),), more=0),
    MessagesTooLarge(folder="INBOX", messages=2, limit_bytes=52_428_800),
    KeywordsLost(folder="Sent", keywords=("$Label1", "Rechnung"), more=0),
    TooLittleRoom(bytes_free=1_400_000_000, bytes_planned=2_085_000_000),
    DryRunBlind(),
]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "mbps": 0}
FOLDERS = (  # name at the source, name at the destination, messages, bytes, share that is done while it runs
    ("INBOX", "INBOX", 4210, 612_000_000, 0.83),
    ("INBOX.Gesendet", "Sent", 2904, 388_000_000, 0.61),
    ("INBOX.Archiv.2023", "Archiv/2023", 3120, 451_000_000, 1.0),
    ("INBOX.Archiv.2024", "Archiv/2024", 1986, 297_000_000, 1.0),
    ("INBOX.Projects.Harbour & Sons", "Projects/Harbour & Sons", 874, 192_000_000, 0.0),
    ("INBOX.家族", "家族", 212, 84_000_000, 0.0),
    ("INBOX.Rechnungen", "Rechnungen", 640, 61_000_000, 0.0),
    ("INBOX.Later", "Later", 0, 0, 1.0),
)


class Stage(FakeReadModel):
    """Jobs by their state; the key of each is its state's name."""

    def __init__(self) -> None:
        super().__init__()
        self.started = datetime.now(UTC) - 14 * MINUTE
        for n, state in enumerate(JobState):
            if state is not JobState.GONE:
                told = noticed(NOTICES if state is JobState.COMPLETED_WITH_ERRORS else [])
                self.put(state.value, state, name=PEOPLE[n % len(PEOPLE)], **told)

        limits = Limits.model_validate({"bandwidth_limit_mbps": 20, "schedule": [OFFICE], "timezone": "Europe/Berlin"})
        waiting = {"limits": limits, "rate": Limit(mbps=0, until=self.started.replace(minute=0) + 3 * HOUR)}
        self.put(
            "resting",
            JobState.RUNNING,
            name="Harbour & Sons",
            speed_bytes_per_second=None,
            remaining_seconds=None,
            **waiting,
        )
        self.put_project("Harbour", limits, self.started)
        self.put("changed", JobState.COMPLETED_WITH_ERRORS, name="Zoë Martin", items_failed=0)
        self._put_dry_run()
        self._put_external("external", JobState.RUNNING, 0)
        self._put_external("external-errors", JobState.COMPLETED_WITH_ERRORS, 2)

    def put(self, key: str, state: JobState, **changes: Any) -> JobId:
        job_id = self.add_job(f"j-{key}", key=key, view_key=f"view-{key}")
        self.snapshots[job_id] = scene(job_id, state, self.started, changes)
        return job_id

    def change(self, key: str, **changes: Any) -> None:
        """What is reported next of this job; `rows`: its breakdown, else that stays."""
        job_id = JobId(f"j-{key}")
        before = self.snapshots[job_id]
        rows = changes.pop("rows", before.breakdown)
        job = before.job.model_copy(update={"last_report_at": datetime.now(UTC), **changes})
        self.snapshots[job_id] = Snapshot(job=job, breakdown=rows)

    def _put_dry_run(self) -> None:
        """What would be copied, and what the destination would not take."""
        none = {"items_completed": 0, "items_verified": 0, "bytes_completed": 0, "speed_bytes_per_second": None}
        would = {"items_remaining": 13_598, "items_failed": 2, "verify_level": None, **noticed(DRY_RUN_NOTICES)}
        self.put("dry-run", JobState.COMPLETED, name="Anna Lindqvist", mode="dry_run", **none, **would)
        planned = {"items_completed": 0, "items_verified": 0, "bytes_completed": 0, "state": "planned"}
        snapshot = self.snapshots[JobId("j-dry-run")]
        rows = [row.model_copy(update=planned | {"items_remaining": row.items_completed}) for row in snapshot.breakdown]
        self.snapshots[JobId("j-dry-run")] = snapshot.model_copy(update={"breakdown": rows})

    def _put_external(self, key: str, state: JobState, failed: int) -> None:
        """A job of an agent: three kinds of things."""
        kinds = (("Contacts", 812, 14, failed), ("Calendars", 9, 0, 0), ("Notes from the harbour office", 0, 0, 0))
        rows = [
            BreakdownRow(
                kind="entity",
                name=name,
                destination_name=None,
                state="waiting" if not imported else "done" if failed else "copying",
                items_total=None,
                items_completed=imported,
                items_skipped=skipped,
                items_failed=errored,
                items_remaining=None,
                items_verified=0,
                bytes_total=None,
                bytes_completed=0,
            )
            for name, imported, skipped, errored in kinds
        ]
        holds = [hold for hold in _holds(state, datetime.now(UTC)) if hold.what != "credentials"]
        hosts = {"source_host": None, "destination_host": None, "folders_total": None, "folders_planned": 0}
        done = {"items_completed": 821, "items_skipped": 14, "items_failed": failed, "items_total": 835 + failed}
        left = {"items_remaining": 0, "progress_percent": 100.0}
        if state is JobState.RUNNING:
            done, left = done | {"items_total": 1_200}, {"items_remaining": 365, "progress_percent": 69.5}
        job = {
            "kind": "external",
            "name": "Contacts of Anna",
            "worker": "Contacts of the office",
            "holds": holds,
            **hosts,
            **done,
            **left,
        }
        job_id = self.put(key, state, **job)
        self.snapshots[job_id] = self.snapshots[job_id].model_copy(update={"breakdown": rows})

    def batches(self, job_id: JobId, *, after: datetime | None, limit: int, resolution_seconds: int) -> list[BatchRow]:
        job = self.snapshots[job_id].job
        until = job.finished_at or datetime.now(UTC)
        seconds = int((until - self.started).total_seconds())
        rows: list[BatchRow] = []
        for second in range(20, seconds, resolution_seconds):
            speed = 2_100_000 + 700_000 * sin(second / 41) + 350_000 * sin(second / 9.7) + 180_000 * sin(second / 3.1)
            if 300 < second < 360:
                speed = 90_000
            at = self.started + timedelta(seconds=second)
            rows.append(BatchRow(at=at, items=9, bytes=int(speed * resolution_seconds), seconds=resolution_seconds))
        return rows[:limit] if job.items_completed else []

    def failures(self, job_id: JobId) -> list[FailureRow]:
        if not self.snapshots[job_id].job.items_failed:
            changed = self.snapshots[job_id].job.state is JobState.COMPLETED_WITH_ERRORS
            return [self._changed(27), self._left_out()] if changed else []
        if self.snapshots[job_id].job.kind == "external":
            row = FailureRow(
                at=self.started,
                folder="",
                uid=0,
                item="anna.vcf",
                reason=Reason.ITEM_FAILED,
                server_text="No name",
                what_to_do="",
            )
            return [row, row.model_copy(update={"item": "Müller & Söhne.vcf", "server_text": ""})]
        rest = [self._changed(512)] if self.snapshots[job_id].job.mode == "full" else []
        said = [
            ("INBOX", 2881, Reason.MESSAGE_TOO_LARGE, "NO [LIMIT] Message exceeds maximum size (52428800)"),
            ("INBOX", 3307, Reason.MESSAGE_TOO_LARGE, "NO [LIMIT] Message exceeds maximum size (52428800)"),
            ("Sent", 412, Reason.MESSAGE_REFUSED, "NO Attachment type is blocked by policy: setup.exe"),
        ]
        if self.snapshots[job_id].job.mode == "dry_run":
            said = [(folder, uid, reason, "") for folder, uid, reason, _ in said[:2]]
        return [
            FailureRow(
                at=self.started + (4 + n) * MINUTE,
                folder=folder,
                uid=uid,
                reason=reason,
                server_text=text,
                what_to_do=WHAT_TO_DO[reason],
            )
            for n, (folder, uid, reason, text) in enumerate(said)
        ] + rest

    def _changed(self, uid: int) -> FailureRow:
        return FailureRow(
            at=self.started + 9 * MINUTE,
            folder="Archive",
            uid=uid,
            reason=Reason.REWRITTEN,
            server_text="",
            what_to_do=WHAT_TO_DO[Reason.REWRITTEN],
            outcome="noted",
        )

    def _left_out(self) -> FailureRow:
        row = self._changed(1_204)
        return row.model_copy(
            update={
                "folder": "Sent",
                "reason": Reason.FLAGS_DROPPED,
                "what_to_do": WHAT_TO_DO[Reason.FLAGS_DROPPED],
                "server_text": "NO [LIMIT] Too many keywords",
                "left_out": ["$Label1", "Rechnung", "INTERNALDATE"],
            }
        )


def noticed(notices: Sequence[Notice]) -> dict[str, Any]:
    return {"notices": list(notices), "warnings": [notice.text for notice in notices]}


def scene(job_id: JobId, state: JobState, started: datetime, changes: dict[str, Any]) -> Snapshot:
    """What a job in this state looks like about a quarter of an hour after its start."""
    now = datetime.now(UTC)
    done = state in (JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS)
    unknown = state in (JobState.QUEUED, JobState.SCANNING, JobState.FAILED)
    failed = 3 if state is JobState.COMPLETED_WITH_ERRORS else 0
    rows = (
        []
        if state in (JobState.QUEUED, JobState.FAILED)
        else [_row(n, state, done, failed) for n in range(len(FOLDERS))]
    )
    known = [row for row in rows if row.items_total is not None]
    total, completed, skipped = (
        sum(getattr(row, name) or 0 for row in known) for name in ("items_total", "items_completed", "items_skipped")
    )
    size, copied = sum(row.bytes_total or 0 for row in known), sum(row.bytes_completed for row in rows)
    finished = now - timedelta(seconds=20) if state in ENDED else None
    moving = state is JobState.RUNNING
    fields: dict[str, Any] = {
        "job_id": job_id,
        "kind": "mailbox",
        "run": 1,
        "name": "Anna Lindqvist",
        "project": None,
        "state": state,
        "state_text": STATE_TEXT[state],
        "failed_side": "source" if state is JobState.FAILED else None,
        "failed_reason": Reason.LOGIN_REFUSED if state is JobState.FAILED else None,
        "failed_server_text": REFUSED if state is JobState.FAILED else None,
        "worker": None if unknown else "copier-7f3a",
        "source_host": "imap.old-harbour.example",
        "destination_host": "imap.newmail.example",
        "created_at": started,
        "started_at": None if state is JobState.QUEUED else started,
        "finished_at": finished,
        "expires_at": now + timedelta(days=7),
        "last_report_at": None
        if state is JobState.QUEUED
        else now - timedelta(seconds=75 if state is JobState.STALLED else 1),
        "folders_total": None if state in (JobState.QUEUED, JobState.FAILED) else len(FOLDERS),
        "folders_planned": len(known),
        "items_total": None if unknown else total,
        "items_completed": completed,
        "items_skipped": skipped,
        "items_failed": failed,
        "items_remaining": None if unknown else total - completed - skipped - failed,
        "items_verified": completed if done else 0,
        "verify_level": "identity" if done else None,
        "bytes_total": None if unknown else size,
        "bytes_completed": copied,
        "progress_percent": None if unknown else int(1000 * (completed + skipped + failed) / total) / 10,
        "speed_bytes_per_second": 2_430_000.0 if moving or done else None,
        "remaining_seconds": RemainingSeconds(low=312, high=468) if moving else None,
        "throttled_until": now + timedelta(seconds=262) if state is JobState.THROTTLED else None,
        "throttled_side": "destination" if state is JobState.THROTTLED else None,
        "throttle_server_text": SLOW_DOWN if state is JobState.THROTTLED else None,
        "throttle_text": f"The destination server asked for a pause: {SLOW_DOWN}"
        if state is JobState.THROTTLED
        else None,
        "limit_text": None,
        "limits": Limits(),
        "rate": Limit(mbps=None, until=None),
        "warnings": [],
        "holds": _holds(state, now),
    }
    if state is JobState.FAILED:
        fields["state_text"] = f"{STATE_TEXT[state]} The source account: {WHAT_TO_DO[Reason.LOGIN_REFUSED]}"
    return Snapshot(job=JobView(**fields | changes), breakdown=rows)


def _row(n: int, state: JobState, done: bool, failed: int) -> BreakdownRow:
    name, destination, items, size, share = FOLDERS[n]
    lost = {0: 2, 1: 1}.get(n, 0) if failed else 0
    if state is JobState.SCANNING and n > 2:
        return BreakdownRow(
            kind="folder",
            name=name,
            destination_name=destination,
            state="waiting",
            items_total=None,
            items_completed=0,
            items_skipped=0,
            items_failed=0,
            items_remaining=None,
            items_verified=0,
            bytes_total=None,
            bytes_completed=0,
        )
    share = 1.0 if done else 0.0 if state is JobState.SCANNING else share
    skipped = items // 40 if share else 0
    completed = items - skipped - lost if share == 1 else max(0, int(items * share) - skipped)
    return BreakdownRow(
        kind="folder",
        name=name,
        destination_name=destination,
        state="done" if share == 1 else "copying" if share else "planned",
        items_total=items,
        items_completed=completed,
        items_skipped=skipped,
        items_failed=lost,
        items_remaining=items - completed - skipped - lost,
        items_verified=completed if done else 0,
        bytes_total=size,
        bytes_completed=int(size * share),
    )


def _holds(state: JobState, now: datetime) -> list[Hold]:
    until = now + timedelta(days=7)
    holds = [Hold(what="names", why="", until=until), Hold(what="results", why="", until=until)]
    return holds if state in ENDED else [Hold(what="credentials", why="", until=None), *holds]


class StageSession:
    """An account with the folders of the stage; that of the destination is nearly empty."""

    capabilities = frozenset({"IMAP4REV1", "UIDPLUS", "MULTIAPPEND"})

    def __init__(self, account: Account) -> None:
        if account.username.startswith("wrong"):
            raise AccountUnusable(Reason.LOGIN_REFUSED, "")
        self._counts = {row[0]: row[2] for row in FOLDERS}
        if "new" in account.host:
            self._counts = {"INBOX": 12, "Sent": 0, "Trash": 0}

    def folders(self) -> list[Folder]:
        return [Folder(wire=name, name=name, delimiter=".") for name in self._counts]

    def status(self, wire: str) -> Status:
        return Status(messages=self._counts[wire], uidnext=None, uidvalidity=None)

    def close(self) -> None: ...
    def reset(self) -> None: ...


@contextmanager
def stage() -> Iterator[tuple[str, Stage]]:
    """The address and what is shown there."""
    model = Stage()
    deps = Deps(
        log=FakeLog(),
        store=model,
        views=model,
        projects=model,
        agents=model,
        vault=FakeVault(),
        recipients=Recipients(model, [Fernet.generate_key().decode()]),
        connect=StageSession,
        account_key=b"stage",
        operator_token=OPERATOR,
        checks=Rate("10000/minute"),
        jobs=Rate("10000/minute"),
    )
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(deps, Health({})), port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}", model
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)
