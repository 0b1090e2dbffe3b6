"""A process of its own: chDB takes one path per process, and a killed one must have lost nothing."""

import json
import sys
from datetime import UTC, datetime

from libs.contracts.ids import FolderId, JobId
from libs.readmodel.database import Database
from libs.readmodel.model import connect
from libs.readmodel.rows import AckRow
from tests.contract.jobs import plan_id, request


def write_for_ever(path: str, job: JobId) -> None:
    """Says the number of each row once its insert was acknowledged."""
    store = connect(f"chdb://{path}", retention_days=7)
    store.write([request(job)], now=datetime.now(UTC))
    written = len(store.acks(job, plan_id("1")))
    while True:
        row = AckRow(
            job_id=job,
            plan_id=plan_id("1"),
            source=0,
            first_uid=written + 1,
            source_uids=str(written + 1),
            destination_uidvalidity=1,
            destination_uids="",
            items=1,
            bytes=1,
        )
        store.write([row], now=datetime.now(UTC))
        written += 1
        print(written, flush=True)


def count(path: str, job: JobId) -> None:
    store = connect(f"chdb://{path}", retention_days=7)
    uids = [row.first_uid for row in store.acks(job, plan_id("1"))]
    print(json.dumps({"uids": sorted(uids), "folder": store.plan(job, FolderId("1")) is not None}))
    store.close()


def expire_after(path: str, retentions: list[int]) -> None:
    """Opened again and again, each time with another retention."""
    seen: list[dict[str, str]] = []
    for days in retentions:
        connect(f"chdb://{path}", retention_days=days).close()
        database = Database(f"chdb://{path}")
        found = database.rows("SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()")
        seen.append({row["name"]: row["engine_full"] for row in found})
        database.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", path, job]:
            write_for_ever(path, JobId(job))
        case ["count", path, job]:
            count(path, JobId(job))
        case ["expire", path, *days]:
            expire_after(path, [int(each) for each in days])
        case _:
            sys.exit(2)
