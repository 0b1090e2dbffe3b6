"""The copying alone: Mailtide's reader, writer, ledger and audit on plans made before, without log and read model.

Reads its task from standard input, prints what it took.
"""

import ipaddress
import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from libs.contracts.accounts import Account, Side
from libs.contracts.ids import AccountDigest, FolderId, JobId, new_plan_id
from libs.contracts.jobs import JobOptions, JobSecrets
from libs.mailbox.connect import ConnectPolicy, connect
from libs.mailbox.errors import MailboxBusy
from libs.mailbox.pool import SessionPool
from libs.readmodel.rows import FolderRow, PlanRow
from libs.runtime.process import collect_seldom
from services.copier.connections import Connections, Reach
from services.copier.folder_copy import FolderCopy
from services.copier.hold import Hold
from services.copier.learning import Learning
from services.copier.ledger import Ledger
from services.scanner.accounts import Both
from services.scanner.planner import Planning
from tests.unit.fakes import MemoryStore

JOB = JobId("bench")


def main() -> None:
    collect_seldom()
    task = json.load(sys.stdin)
    secrets = JobSecrets(source=Account(**task["source"]), destination=Account(**task["destination"]))
    policy = ConnectPolicy(
        allow_networks=(ipaddress.ip_network("127.0.0.0/8"),),
        allow_ports=(secrets.source.port, secrets.destination.port),
        allow_plain=True,
        tls_ca_file=Path(task["ca_file"]),
    )
    pool = SessionPool(partial(connect, policy=policy))
    both = Both(pool.fresh(JOB, "source", secrets.source), pool.fresh(JOB, "destination", secrets.destination))
    plans = [_plan(folder.wire, both) for folder in both.source.folders() if folder.selectable]
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.monotonic()
    with ThreadPoolExecutor(task["concurrency"]) as threads:
        copied = list(threads.map(partial(_copy, secrets=secrets, pool=pool), plans))
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall": wall, "cpu": cpu, "copied": sum(copied)}))


def _plan(wire: str, both: Both) -> PlanRow:
    folder = FolderRow(
        job_id=JOB,
        folder_id=FolderId(wire),
        source_wires=(wire,),
        source_names=(wire,),
        destination_wire=wire,
        destination_name=wire,
    )
    planning = Planning(folder, JobOptions(), plan_id=new_plan_id(), number=1, now=datetime.now(UTC))
    return planning.plan(both).row


def _throttled(side: Side, error: MailboxBusy) -> None:
    raise AssertionError(f"{side}: {error}")


def _copy(planned: PlanRow, *, secrets: JobSecrets, pool: SessionPool) -> int:
    hold, ledger = Hold(), Ledger(planned)
    connections = Connections(JOB, lambda: secrets, pool, Reach(), hold, _throttled)
    copy = FolderCopy(
        ledger,
        connections,
        hold,
        doubt=None,
        late_commit_seconds=35.0,
        pace=lambda _: None,
        learning=Learning(MemoryStore(), AccountDigest("destination"), planned.folder_id, planned, {}),
        store_acks=lambda: None,
    )
    if planned.items:
        copy.run(deep=False)
        connections.give_back()
    assert not ledger.remaining()
    return ledger.totals().completed


if __name__ == "__main__":
    main()
