"""The api's ports in memory. What was given to them is kept, so that a test can say what is there."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from libs.contracts.codec import Message
from libs.contracts.ids import AccountDigest, AgentId, JobId, key_hash
from libs.contracts.jobs import ENDED, MOST_RUNS, STATE_TEXT, JobOptions, JobSecrets, JobState, Limits
from libs.contracts.reasons import Reason
from libs.contracts.schedule import Rate
from libs.contracts.topics import Topic
from libs.contracts.views import BatchRow, BreakdownRow, FailureRow, JobView, Snapshot
from libs.eventlog.port import LogUnavailable
from libs.mailbox.errors import MailboxError
from libs.mailbox.port import Folder, Status
from libs.readmodel.agents import Agent, Order
from libs.readmodel.notifications import Due
from libs.readmodel.port import ReadModelUnavailable
from libs.readmodel.rows import NOTHING, AgentJobRow, Desired, DesiredRow, EntityRow, RequestRow, Row, TombstoneRow
from libs.vault.port import SecretsDestroyed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeLog:
    def __init__(self) -> None:
        self.messages: list[tuple[str, str, Message]] = []
        self.available = True
        self.on_append: Callable[[], object] = lambda: None
        self._followers: list[tuple[Topic | None, Callable[[Message], None]]] = []

    def append(self, topic: Topic, key: str, message: Message) -> None:
        if not self.available:
            raise LogUnavailable
        self.messages.append((topic.name, key, message))
        self.on_append()
        for followed, on_message in self._followers:
            if followed in (topic, None):
                on_message(message)

    def append_all(self, topic: Topic, messages: Sequence[tuple[str, Message]]) -> None:
        for key, message in messages:
            self.append(topic, key, message)

    def follow(self, topic: Topic, on_message: Callable[[Message], None]) -> None:
        self._followers.append((topic, on_message))

    def follow_all(self, on_message: Callable[[Message], None]) -> None:
        self._followers.append((None, on_message))

    def close(self) -> None: ...


class FakeVault:
    def __init__(self) -> None:
        self.held: dict[JobId, JobSecrets] = {}

    def store(self, job_id: JobId, secrets: JobSecrets, *, run: int = 1) -> None:
        self.held[job_id] = secrets

    def open(self, job_id: JobId) -> JobSecrets:
        if job_id not in self.held:
            raise SecretsDestroyed
        return self.held[job_id]

    def destroy(self, job_id: JobId, *, run: int = MOST_RUNS) -> None:
        self.held.pop(job_id, None)


class FakeReadModel:
    """As much of `Store` and of the api's reads as the api uses."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failed: list[FailureRow] = []
        self.snapshots: dict[JobId, Snapshot] = {}
        self.reads = 0
        self.kept_projects: dict[str, Limits] = {}
        self.notifications: dict[JobId, str] = {}
        self.refreshed: list[int] = []  # how many rows there were at each refresh
        self.refuses_accepted_requests = False
        self.registered: dict[str, Agent] = {}  # by the hash of their tokens
        self.counted: dict[str, str] = {}  # content of the batches the aggregator has seen

    # ---- Store

    def write(self, rows: Sequence[Row], *, now: datetime, version: int | None = None) -> None:
        if self.refuses_accepted_requests and any(isinstance(row, RequestRow) and row.accepted for row in rows):
            raise ReadModelUnavailable
        self.rows.extend(rows)

    def request(self, job_id: JobId) -> RequestRow | None:
        return self.requests().get(job_id)

    def desired(self, job_id: JobId) -> Desired:
        if job_id not in self.requests():
            return NOTHING
        newest = [row for row in self.rows if isinstance(row, DesiredRow) and row.job_id == job_id][-1]
        state = "over" if self.ended(job_id) else newest.state
        return Desired(state=state, limits=newest.limits, run=newest.run)

    def refresh(self, job_ids: Sequence[JobId], now: datetime) -> None:
        self.refreshed.append(len(self.rows))

    # ---- what the api reads

    def requests(self) -> dict[JobId, RequestRow]:
        deleted = {row.job_id for row in self.rows if isinstance(row, TombstoneRow)}
        found = {row.job_id: row for row in self.rows if isinstance(row, RequestRow) and row.accepted}
        return {job_id: row for job_id, row in found.items() if job_id not in deleted}

    def find(self, hashed: str) -> tuple[JobId, Literal["key", "view_key"]] | None:
        for job_id, row in self.requests().items():
            if hashed in (row.key_hash, row.view_key_hash):
                return job_id, "key" if hashed == row.key_hash else "view_key"
        return None

    def views(self, job_ids: Sequence[JobId], now: datetime) -> Mapping[JobId, Snapshot]:
        self.reads += 1
        return self._views(job_ids)

    def _views(self, job_ids: Sequence[JobId]) -> Mapping[JobId, Snapshot]:
        known = self.requests()
        return {job_id: self.snapshots.get(job_id) or snapshot(job_id) for job_id in job_ids if job_id in known}

    def jobs(self, job_ids: Sequence[JobId], now: datetime) -> Mapping[JobId, JobView]:
        return {job_id: each.job for job_id, each in self._views(job_ids).items()}

    def keys(self, job_ids: Sequence[JobId]) -> dict[JobId, tuple[str, ...]]:
        found = self.requests()
        return {each: (found[each].key_hash, found[each].view_key_hash) for each in job_ids if each in found}

    def live(self) -> list[JobId]:
        return [job_id for job_id in self.requests() if not self.ended(job_id)]

    def finished(self, since: datetime) -> list[JobId]:
        return [job_id for job_id in self.requests() if self.ended(job_id)]

    def batches(self, job_id: JobId, *, after: datetime | None, limit: int, resolution_seconds: int) -> list[BatchRow]:
        rows = [BatchRow(at=NOW + timedelta(seconds=n), items=n, bytes=n * 100, seconds=1.0) for n in range(10)]
        return [row for row in rows if after is None or row.at >= after][:limit]

    def failures(self, job_id: JobId) -> list[FailureRow]:
        return self.failed

    def ended(self, job_id: JobId) -> bool:
        shown = self.snapshots.get(job_id)
        return shown is not None and shown.job.finished_at is not None

    # ---- projects

    def put_project(self, name: str, limits: Limits, now: datetime) -> None:
        self.kept_projects[name] = limits

    def remove_project(self, name: str, now: datetime) -> None:
        del self.kept_projects[name]

    def projects(self) -> dict[str, Limits]:
        return self.kept_projects

    # ---- agents

    def put_agent(self, agent: Agent, token_hash: str, now: datetime) -> None:
        self.registered[token_hash] = agent

    def remove_agent(self, agent: Agent, now: datetime) -> None:
        self.registered = {hashed: each for hashed, each in self.registered.items() if each != agent}

    def agents(self) -> list[Agent]:
        return sorted(self.registered.values(), key=lambda agent: agent.name)

    def agent_by_token(self, token_hash: str) -> AgentId | None:
        found = self.registered.get(token_hash)
        return found.agent_id if found else None

    def agent_of(self, job_id: JobId) -> AgentId | None:
        found = [row.agent_id for row in self.rows if isinstance(row, AgentJobRow) and row.job_id == job_id]
        return found[0] if found else None

    def content_of(self, job_id: JobId, batch_id: str) -> str | None:
        return self.counted.get(batch_id)

    def entity_names(self, job_id: JobId) -> dict[str, str]:
        return {row.entity_id: row.name for row in self.rows if isinstance(row, EntityRow) and row.job_id == job_id}

    def orders(self, agent_ids: Sequence[AgentId]) -> dict[AgentId, list[Order]]:
        found: dict[AgentId, list[Order]] = {agent_id: [] for agent_id in agent_ids}
        for row in self.rows:
            if isinstance(row, TombstoneRow) and row.agent_id in found:
                found[AgentId(row.agent_id)].append(Order(row.job_id, "delete", Limits()))
        for job_id in self.live():
            agent_id, desired = self.agent_of(job_id), self.desired(job_id)
            if agent_id in found and desired.state != "over":
                found[agent_id].append(Order(job_id, desired.state, desired.limits))
        return found

    # ---- whom to tell

    def keep_notification(self, job_id: JobId, sealed: str, now: datetime) -> None:
        self.notifications[job_id] = sealed

    def notification(self, job_id: JobId) -> str | None:
        return self.notifications.get(job_id)

    def erase_notification(self, job_id: JobId) -> None:
        self.notifications.pop(job_id, None)

    def due_notifications(self) -> list[Due]:
        found = [self.snapshots[job_id].job for job_id in self.notifications if self.ended(job_id)]
        return [Due(job.job_id, job.finished_at) for job in found if job.finished_at is not None]

    # ---- for tests

    def show(self, job_id: JobId, **changes: object) -> None:
        self.snapshots[job_id] = snapshot(job_id, **changes)

    def add_job(self, job_id: str, *, key: str, view_key: str) -> JobId:
        row = RequestRow(
            job_id=JobId(job_id),
            kind="mailbox",
            key_hash=key_hash(key),
            view_key_hash=key_hash(view_key),
            name=None,
            project=None,
            source_host="imap.old.example",
            destination_host="imap.new.example",
            account_digest=AccountDigest("a"),
            source_digest=AccountDigest("b"),
            options=JobOptions(),
            created_at=NOW,
            accepted=True,
        )
        self.rows += [row, DesiredRow(job_id=row.job_id, state="run", limits=Limits())]
        return row.job_id


def snapshot(
    job_id: JobId,
    *,
    state: JobState = JobState.RUNNING,
    completed: int = 0,
    failed: int = 0,
    total: int = 10,
    run: int = 1,
) -> Snapshot:
    remaining = total - completed - failed
    breakdown = BreakdownRow(
        kind="folder",
        name="INBOX",
        destination_name="INBOX",
        state="copying",
        items_total=total,
        items_completed=completed,
        items_skipped=0,
        items_failed=failed,
        items_remaining=remaining,
        items_verified=0,
        bytes_total=total * 100,
        bytes_completed=completed * 100,
    )
    job = JobView(
        job_id=job_id,
        kind="mailbox",
        run=run,
        name=None,
        project=None,
        state=state,
        state_text=STATE_TEXT[state],
        failed_side=None,
        failed_reason=None,
        worker="copier-1",
        source_host="imap.old.example",
        destination_host="imap.new.example",
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW if state in ENDED else None,
        expires_at=NOW + timedelta(days=7),
        last_report_at=NOW,
        folders_total=1,
        folders_planned=1,
        items_total=total,
        items_completed=completed,
        items_skipped=0,
        items_failed=failed,
        items_remaining=remaining,
        items_verified=0,
        verify_level=None,
        bytes_total=total * 100,
        bytes_completed=completed * 100,
        progress_percent=100 * (completed + failed) / total,
        speed_bytes_per_second=None,
        remaining_seconds=None,
        throttled_until=None,
        throttled_side=None,
        throttle_server_text=None,
        throttle_text=None,
        limit_text=None,
        limits=Limits(),
        rate=Rate(mbps=None, until=None),
        warnings=[],
        holds=[],
    )
    return Snapshot(job=job, breakdown=[breakdown])


class FakeSession:
    """An account with three folders, of which one can't be opened; or one whose server says nothing at all."""

    capabilities = frozenset({"IMAP4REV1", "UIDPLUS"})

    def __init__(self, *, hangs: bool = False) -> None:
        self._hangs = hangs
        self.dropped = threading.Event()

    def folders(self) -> list[Folder]:
        if self._hangs:
            self.dropped.wait(30)
            raise MailboxError(Reason.CONNECTION_LOST)
        return [
            Folder(wire="INBOX", name="INBOX", delimiter="/"),
            Folder(wire="Sent", name="Sent", delimiter="/", special_use="\\Sent"),
            Folder(wire="locked", name="Old/Locked", delimiter="/"),
            Folder(wire="no", name="Old", delimiter="/", selectable=False),
        ]

    def status(self, wire: str) -> Status:
        if wire == "locked":
            raise MailboxError(Reason.NO_PERMISSION)
        return Status(messages=3, uidnext=4, uidvalidity=1)

    def reset(self) -> None:
        self.dropped.set()

    def close(self) -> None: ...
