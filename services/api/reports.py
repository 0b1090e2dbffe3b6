"""What external agents report of their jobs: once in the log, however often it is sent."""

import json
import threading
from collections import OrderedDict
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.contracts import topics
from libs.contracts.events import AgentReported, Delta, EntityReport
from libs.contracts.ids import AgentId, JobId, keyed
from libs.contracts.reasons import Reason
from libs.readmodel.rows import AgentFailureRow, EntityRow, Row
from libs.runtime.control import Control
from services.api.access import ReportingAgent
from services.api.agents import MOST_ENTITIES, Bytes, Items, Name, entity_id
from services.api.deps import Dependencies, Deps
from services.api.errors import InvalidForm, JobEnded, NoSuchJob, OtherContent
from services.api.problems import FieldCode

KEPT = 20_000  # jobs, and reports, that a process remembers; what it forgets it asks for
Text = Annotated[str, StringConstraints(max_length=2000)]
K = TypeVar("K")
V = TypeVar("V")

router = APIRouter(prefix="/api/progress", tags=["agents"])


class Failure(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    item: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    reason: Annotated[
        str, Field(min_length=1, max_length=100, description="one of `Reason`, or a word of the agent's own")
    ] = Reason.ITEM_FAILED.value
    text: Text = ""

    def told(self) -> tuple[Reason, str]:
        """Its class, and what the agent said: also the word of its own, if that is no class of Mailtide's."""
        try:
            return Reason(self.reason), self.text
        except ValueError:
            return Reason.ITEM_FAILED, f"{self.reason}: {self.text}" if self.text else self.reason


class EntityDelta(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    imported: Items = 0
    skipped: Items = 0
    errored: Items = 0


class ReportForm(BaseModel):
    """What was done since the last report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]  # the same in every repeat
    job_id: Annotated[JobId, StringConstraints(min_length=1, max_length=100)]
    items_completed: Items
    bytes_completed: Bytes
    items_failed: Items = 0
    items_skipped: Items = 0
    failures: list[Failure] = Field(default_factory=list[Failure], max_length=200)
    speed_bytes_per_second: float | None = Field(default=None, ge=0, le=1e15)
    items_total: Items | None = None
    bytes_total: Bytes | None = None
    state: Literal["running", "completed", "failed", "cancelled"] | None = None
    entities: dict[Name, EntityDelta] = Field(default_factory=dict[str, EntityDelta], max_length=MOST_ENTITIES)


class Reported(BaseModel):
    repeated: bool  # this report was known


@router.post("", status_code=202, responses={200: {"model": Reported, "description": "It was reported before."}})
def report(
    form: ReportForm, agent_id: ReportingAgent, request: Request, response: Response, deps: Dependencies
) -> Reported:
    """Increments since the last report. Send the same body again, with its `batch_id`, until it is answered."""
    deps.reports.take(agent_id)
    reports: Reports = request.app.state.reports
    new = reports.take(agent_id, form)
    response.status_code = 202 if new else 200
    return Reported(repeated=not new)


class Reports:
    """The way of reports into the log. Blocking and thread-safe.

    A report without news is one append and no insert: what is known of its job and its agent is remembered, and what
    counts is decided by the aggregator, from the log.
    """

    def __init__(self, deps: Deps, control: Control) -> None:
        self._deps = deps
        self._control = control
        self._lock = threading.Lock()
        self._agents: OrderedDict[JobId, AgentId] = OrderedDict()
        self._entities: OrderedDict[JobId, frozenset[str]] = OrderedDict()
        self._sent: OrderedDict[str, tuple[str, bool]] = OrderedDict()  # content of a batch, and: it is in the log

    def take(self, agent_id: AgentId, form: ReportForm) -> bool:
        """Return when it is in the log; False: it has been.

        Raises:
            NoSuchJob: there is none (any more), or it is another agent's.
            OtherContent: another report has this `batch_id`.
            JobEnded
            LogUnavailable, ReadModelUnavailable: it may count or not; sending the same again is right.
        """
        job_id = form.job_id
        if self._agent_of(job_id) != agent_id:
            raise NoSuchJob
        over = self._control.desired(job_id).state == "over"
        if over and self._deps.store.request(job_id) is None:
            raise NoSuchJob
        event, names = self._event(agent_id, form), self._new_names(form)
        if self._known(event):
            return False
        if over:
            raise JobEnded
        self._write_texts(event.batch_id, form, names)
        self._deps.log.append(topics.PROGRESS, job_id, event)
        self._remember(self._sent, event.batch_id, (event.content, True))
        return True

    def _known(self, event: AgentReported) -> bool:
        """Whether this very report is in the log."""
        batch = event.batch_id
        with self._lock:
            content, logged = self._sent.get(batch, (None, False))
        if content is None:
            content = self._deps.agents.content_of(event.job_id, batch)
            logged = content is not None
            with self._lock:  # from now on this id is of this report, or of the one another thread was faster with
                content, logged = self._sent.setdefault(batch, (content or event.content, logged))
        if content != event.content:
            raise OtherContent
        return logged

    def _event(self, agent_id: AgentId, form: ReportForm) -> AgentReported:
        key, job_id = self._deps.account_key, form.job_id
        content = json.dumps(form.model_dump(mode="json"), sort_keys=True)
        return AgentReported(
            job_id=job_id,
            agent_id=agent_id,
            batch_id=keyed(key, "batch", job_id, form.batch_id),
            content=keyed(key, "report", content),
            completed=form.items_completed,
            failed=form.items_failed,
            skipped=form.items_skipped,
            bytes_completed=form.bytes_completed,
            delta=Delta(items=form.items_completed, bytes=form.bytes_completed, seconds=_seconds(form)),
            entities=tuple(
                EntityReport(
                    entity_id=entity_id(self._deps, job_id, name),
                    imported=each.imported,
                    skipped=each.skipped,
                    errored=each.errored,
                )
                for name, each in form.entities.items()
            ),
            speed=form.speed_bytes_per_second,
            items_total=form.items_total,
            bytes_total=form.bytes_total,
            state=form.state,
        )

    def _new_names(self, form: ReportForm) -> dict[str, str]:
        """Of entities, by id, that the job has not had yet.

        Raises:
            InvalidForm: they are too many.
        """
        if not form.entities:
            return {}
        known = self._entities_of(form.job_id)
        names = {entity_id(self._deps, form.job_id, name): name for name in form.entities}
        new = {each: name for each, name in names.items() if each not in known}
        if len(known) + len(new) > MOST_ENTITIES:
            raise InvalidForm("entities", FieldCode.TOO_MANY, MOST_ENTITIES)
        return new

    def _write_texts(self, batch_id: str, form: ReportForm, names: dict[str, str]) -> None:
        """Names and what was said of failures, before the log knows of them; a repeat replaces itself."""
        now, job_id = self._deps.now(), form.job_id
        rows: list[Row] = [EntityRow(job_id=job_id, entity_id=each, name=name) for each, name in names.items()]
        for number, failure in enumerate(form.failures):
            reason, text = failure.told()
            row = AgentFailureRow(
                job_id=job_id,
                batch_id=batch_id,
                number=number,
                item=failure.item,
                reason=reason,
                text=text,
                happened_at=now,
            )
            rows.append(row)
        if rows:
            self._deps.store.write(rows, now=now)
        if names:
            self._remember(self._entities, job_id, self._entities_of(job_id) | frozenset(names))

    def _agent_of(self, job_id: JobId) -> AgentId | None:
        with self._lock:
            agent_id = self._agents.get(job_id)
        if agent_id is None and (agent_id := self._deps.agents.agent_of(job_id)) is not None:
            self._remember(self._agents, job_id, agent_id)
        return agent_id

    def _entities_of(self, job_id: JobId) -> frozenset[str]:
        with self._lock:
            known = self._entities.get(job_id)
        return frozenset(self._deps.agents.entity_names(job_id)) if known is None else known

    def _remember(self, memory: OrderedDict[K, V], key: K, value: V) -> None:
        with self._lock:
            memory[key] = value
            memory.move_to_end(key)
            while len(memory) > KEPT:
                memory.popitem(last=False)


def _seconds(form: ReportForm) -> float:
    return form.bytes_completed / form.speed_bytes_per_second if form.speed_bytes_per_second else 0.0
