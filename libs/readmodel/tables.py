"""Each row class and its table: how a row is stored, read back, and which version of a key wins."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from libs.contracts.jobs import Limits
from libs.readmodel.database import stamp
from libs.readmodel.rows import (
    AckRow,
    AdmissionRow,
    AgentBatchRow,
    AgentFailureRow,
    AgentJobRow,
    AgentTotalsRow,
    AuditRow,
    BatchRow,
    BehaviourRow,
    ClaimRow,
    DesiredRow,
    EntityRow,
    EntityTotalsRow,
    FailureRow,
    FolderRow,
    ListingRow,
    NoticeRow,
    OutcomeRow,
    PlannedRow,
    PlanRow,
    QuotaRow,
    RequestRow,
    Row,
    ScanFailureRow,
    SignRow,
    ThrottleRow,
    TombstoneRow,
    TotalsRow,
    WarningRow,
)

R = TypeVar("R")

TABLES: dict[type[Row], str] = {
    RequestRow: "requests",
    DesiredRow: "desired",
    TombstoneRow: "tombstones",
    AgentJobRow: "agent_jobs",
    EntityRow: "entities",
    AgentFailureRow: "agent_failures",
    AdmissionRow: "admissions",
    FolderRow: "folders",
    PlanRow: "plans",
    QuotaRow: "quotas",
    ScanFailureRow: "scan_failures",
    WarningRow: "warnings",
    ClaimRow: "claims",
    BehaviourRow: "behaviours",
    NoticeRow: "notices",
    AckRow: "acks",
    FailureRow: "failures",
    ThrottleRow: "throttles",
    ListingRow: "listings",
    SignRow: "signs",
    PlannedRow: "planned",
    TotalsRow: "totals",
    AuditRow: "audits",
    BatchRow: "batches",
    OutcomeRow: "outcomes",
    AgentBatchRow: "agent_batches",
    EntityTotalsRow: "entity_totals",
    AgentTotalsRow: "agent_totals",
}

# What is erased with a job; some rows name no job, tombstones stay. Of these the batches alone are history, not state.
OF_AN_ACCOUNT = ("claims", "behaviours")
OF_A_JOB = (
    *(table for table in TABLES.values() if table not in (*OF_AN_ACCOUNT, "tombstones")),
    "vault",
    "notifications",
)
STATE_OF_A_JOB = tuple(table for table in OF_A_JOB if table != "batches")

# A version is an offset or a time in microseconds, both below 2^53. Final rows are above the others of their run,
# and all rows of a later run above those.
OUTRANKS = 1 << 63
_FINAL_OF_A_RETRY = 1 << 53
_RUN = 1 << 54  # MOST_RUNS of it are below OUTRANKS

_FIELDS = {cls: tuple(field.name for field in fields(cls)) for cls in TABLES}
_JSON = ("options", "limits", "sources")
_ADAPTERS: dict[type, TypeAdapter[Any]] = {cls: TypeAdapter(cls) for cls in TABLES}


@dataclass(frozen=True, slots=True)
class Stamped:
    """A row, its version, and the time its TTL counts from."""

    row: Row
    version: int
    at: datetime


def stored(stamped: Stamped) -> dict[str, Any]:
    row = stamped.row
    values = {name: _stored(name, getattr(row, name)) for name in _FIELDS[type(row)]}
    return values | {"updated_at": stamp(stamped.at), "version": _rank(row, stamped.version)}


def columns(cls: type[Row]) -> str:
    return ", ".join(_FIELDS[cls])


def read(cls: type[R], stored: dict[str, Any]) -> R:
    for name in _JSON:
        if name in stored:
            stored[name] = json.loads(stored[name])
    return _ADAPTERS[cls].validate_python(stored)


@lru_cache  # most jobs have the same
def read_limits(stored: str) -> Limits:
    """From stored limits, or from the stored options of a job whose limits nobody has changed."""
    return Limits.model_validate_json(stored, extra="ignore")


def _rank(row: Row, version: int) -> int:
    match row:
        case TotalsRow():
            return _rank_of_run(row.run, version, final=row.finished)
        case DesiredRow():
            return _rank_of_run(row.run, version, final=row.state == "cancel")
        case OutcomeRow() | AgentBatchRow():
            return OUTRANKS - version
        case _:
            return version


def _rank_of_run(run: int, version: int, *, final: bool) -> int:
    if run == 1:
        return OUTRANKS | version if final else version
    return OUTRANKS | (run - 1) * _RUN | (_FINAL_OF_A_RETRY if final else 0) | version


def _stored(name: str, value: Any) -> Any:
    if name == "sources":
        return json.dumps([asdict(source) for source in value])
    match value:
        case datetime():
            return stamp(value)
        case BaseModel():
            return value.model_dump_json()
        case _:
            return value
