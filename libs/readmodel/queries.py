"""Every question asked of ClickHouse, by name. Values are always bound, as `{name:Type}`.

FINAL gives the newest version of each key. A row older than `{kept}` has
expired, whether or not a merge has removed it yet. `{jobs}` are `Ids`.
"""
# ruff: noqa: S608  (what is put together here are constants of this module)

from libs.contracts.jobs import MOST_RUNS
from libs.readmodel.rows import (
    AckRow,
    AdmissionRow,
    BehaviourRow,
    ClaimRow,
    FailureRow,
    FolderRow,
    OutcomeRow,
    PlanRow,
    QuotaRow,
    RequestRow,
    ThrottleRow,
    TotalsRow,
)
from libs.readmodel.tables import OF_A_JOB, STATE_OF_A_JOB, columns

_JOB = "job_id = {job:String}"
_JOBS = "job_id IN splitByChar(',', {jobs:String})"
_DELETED = "(SELECT job_id FROM tombstones)"
_LIVES = f"(job_id, run) NOT IN (SELECT job_id, run FROM outcomes) AND job_id NOT IN {_DELETED}"
_KEPT = "{kept:DateTime64(6, 'UTC')}"
_EXISTS = f"updated_at > {_KEPT} AND job_id NOT IN {_DELETED}"
_BEFORE = "{before:DateTime64(6, 'UTC')}"
_NOW = "{now:DateTime64(6, 'UTC')}"
_AFTER = "{after:DateTime64(6, 'UTC')}"

# ---- one job, for the workers

DELETED = f"SELECT DISTINCT job_id FROM tombstones WHERE {_JOBS}"
ENDED = f"SELECT DISTINCT job_id, run FROM outcomes WHERE {_JOBS}"

REQUEST = f"SELECT {columns(RequestRow)} FROM requests FINAL WHERE {_JOB} AND {_EXISTS}"

DESIRED = f"""
SELECT ifNull(d.state, 'run') AS state, ifNull(d.limits, r.options) AS limits, r.run AS run,
    (r.job_id, r.run) IN (SELECT job_id, run FROM outcomes WHERE {_JOB}) AS ended
FROM (SELECT job_id, run, options FROM requests FINAL WHERE {_JOB} AND {_EXISTS}) AS r
LEFT JOIN (SELECT job_id, state, limits FROM desired FINAL WHERE {_JOB}) AS d ON d.job_id = r.job_id
"""

ADMISSIONS = f"""
SELECT {columns(AdmissionRow)} FROM admissions FINAL WHERE account_digest = {{account:String}}
ORDER BY admitted_at, job_id
"""

# Up to which run jobs are over; a deleted job in every run.
OVER_UNTIL = f"""
SELECT job_id, run FROM outcomes WHERE {_JOBS} UNION ALL SELECT job_id, {MOST_RUNS} FROM tombstones WHERE {_JOBS}
"""

_ASKED = f"until > {_NOW} AND reason IN {{asked:Array(String)}}"
THROTTLED = f"SELECT 1 FROM throttles WHERE {_ASKED} LIMIT 1"

# The longest pause of one account, whichever job was told of it, and on whichever side of it the account is.
THROTTLE = f"""
SELECT {columns(ThrottleRow)} FROM throttles FINAL
INNER JOIN (
    SELECT job_id, source_digest, account_digest FROM requests FINAL
    WHERE job_id IN (SELECT job_id FROM throttles WHERE {_ASKED})
) AS r USING (job_id)
WHERE {_ASKED} AND if(side = 'source', r.source_digest, r.account_digest) = {{account:String}}
ORDER BY until DESC LIMIT 1
"""

FOLDERS = f"SELECT {columns(FolderRow)} FROM folders FINAL WHERE {_JOB} ORDER BY length(folder_id), folder_id"

FOLDER = f"SELECT {columns(FolderRow)} FROM folders FINAL WHERE {_JOB} AND folder_id = {{folder:String}}"

PLANS = f"""
SELECT {columns(PlanRow)} FROM plans FINAL WHERE {_JOB}
ORDER BY length(folder_id), folder_id, number DESC, plan_id DESC LIMIT 1 BY folder_id
"""

FOLDER_PLANS = f"""
SELECT {columns(PlanRow)} FROM plans FINAL WHERE {_JOB} AND folder_id = {{folder:String}}
ORDER BY number DESC, plan_id DESC
"""

TOTALS = f"SELECT {columns(TotalsRow)} FROM totals FINAL WHERE {_JOB}"
_BETWEEN = "account_digest = {account:String} AND source_digest = {source:String}"
_OF_EARLIER = f"job_id IN (SELECT job_id FROM requests WHERE {_BETWEEN} AND job_id != {{job:String}})"

REMEMBERED = f"""
SELECT {", ".join(f"p.{name} AS {name}" for name in columns(PlanRow).split(", "))}, r.options AS options
FROM (
    SELECT job_id, options FROM requests FINAL
    WHERE {_BETWEEN} AND {_EXISTS} AND job_id != {{job:String}}
) AS r
INNER JOIN (SELECT * FROM plans FINAL WHERE {_OF_EARLIER}) AS p ON p.job_id = r.job_id
INNER JOIN (
    SELECT * FROM totals FINAL WHERE {_OF_EARLIER} AND finished AND NOT stopped AND failed = 0 AND skipped = 0
) AS t
    ON t.job_id = p.job_id AND t.plan_id = p.plan_id AND t.completed = p.items
INNER JOIN (SELECT * FROM audits FINAL WHERE {_OF_EARLIER} AND rewritten = 0 AND removed = 0) AS u
    ON u.job_id = p.job_id AND u.plan_id = p.plan_id AND u.verified = p.items
ORDER BY p.plan_id DESC LIMIT 1 BY p.destination_wire
"""

PLANNED = f"""
SELECT sum(items) AS items, sum(bytes) AS bytes FROM (
    SELECT items, bytes FROM plans FINAL WHERE {_JOB} ORDER BY number DESC, plan_id DESC LIMIT 1 BY folder_id
)
"""

QUOTA = f"SELECT {columns(QuotaRow)} FROM quotas FINAL WHERE {_JOB}"

ACKS = f"""
SELECT {columns(AckRow)} FROM acks FINAL WHERE {_JOB} AND plan_id = {{plan:String}}
ORDER BY version, source, first_uid
"""

FAILURES = f"""
SELECT {columns(FailureRow)} FROM failures FINAL WHERE {_JOB} AND plan_id = {{plan:String}}
ORDER BY version, source, uid
"""

OPEN_CLAIMS = f"""
SELECT {columns(ClaimRow)} FROM claims FINAL WHERE account_digest = {{account:String}} AND open
"""

BEHAVIOURS = f"SELECT {columns(BehaviourRow)} FROM behaviours FINAL WHERE account_digest = {{account:String}}"

SEALED = f"SELECT sealed FROM vault FINAL WHERE {_JOB}"
_UNTIL = f"{_JOB} AND run <= {{run:UInt32}}"
SEALED_UNTIL = f"SELECT job_id FROM vault WHERE {_UNTIL} LIMIT 1"
ERASE_SEALED = f"ALTER TABLE vault DELETE WHERE {_UNTIL}"

# ---- the newest plan of every folder, and how far it is

_NEWEST_PLANS = f"""
SELECT * FROM planned FINAL WHERE {_JOBS} ORDER BY number DESC, plan_id DESC LIMIT 1 BY job_id, folder_id
"""

_PROGRESS = f"""
SELECT p.job_id AS job_id, p.folder_id AS folder_id, p.plan_id AS plan_id, p.planned_at AS planned_at,
    p.items AS planned_items, p.skipped AS planned_skipped, p.bytes AS bytes_total,
    ifNull(t.completed, 0) AS completed, ifNull(t.skipped, 0) + p.skipped AS skipped, ifNull(t.failed, 0) AS failed,
    ifNull(t.bytes_completed, 0) AS bytes_completed,
    ifNull(t.finished, false) AS finished, ifNull(t.stopped, false) AS stopped, ifNull(t.run, 0) AS run,
    t.worker AS worker, t.reported_at AS reported_at
FROM ({_NEWEST_PLANS}) AS p
LEFT JOIN (SELECT * FROM totals FINAL WHERE {_JOBS}) AS t ON t.job_id = p.job_id AND t.plan_id = p.plan_id
"""

# ---- for those who watch: many jobs at once

FIND = f"""
SELECT job_id, key_hash FROM requests FINAL
WHERE (key_hash = {{hash:String}} OR view_key_hash = {{hash:String}}) AND accepted AND {_EXISTS}
LIMIT 1
"""

KEYS = f"SELECT job_id, key_hash, view_key_hash FROM requests FINAL WHERE {_JOBS}"

ACTIVE = f"""
SELECT job_id FROM requests FINAL
WHERE accepted AND {_EXISTS} AND (job_id, run) NOT IN (SELECT job_id, run FROM outcomes)
ORDER BY created_at, job_id
"""

FINISHED = f"""
SELECT r.job_id AS job_id FROM (SELECT job_id, run FROM requests FINAL WHERE accepted AND {_EXISTS}) AS r
INNER JOIN (SELECT job_id, run, finished_at FROM outcomes FINAL WHERE finished_at > {_AFTER}) AS o
    ON o.job_id = r.job_id AND o.run = r.run
ORDER BY o.finished_at DESC, job_id
"""

# A job that was tried again comes once for each of its runs that has ended.
HEADS = f"""
SELECT r.job_id AS job_id, r.kind AS kind, r.name AS name, r.project AS project,
    r.source_host AS source_host, r.destination_host AS destination_host,
    r.created_at AS created_at, r.updated_at AS updated_at, r.run AS run,
    d.state AS desired, ifNull(d.limits, r.options) AS limits, JSONExtractString(r.options, 'mode') AS mode,
    a.run AS admitted_run, a.admitted_at AS admitted_at, ifNull(a.bytes_before, 0) AS bytes_before,
    l.folders AS folders, l.listed_at AS listed_at, s.seen_at AS seen_at,
    o.run AS ended_run, o.state AS outcome, o.side AS side, o.reason AS reason, o.finished_at AS finished_at,
    v.job_id IS NOT NULL AS held, n.job_id IS NOT NULL AS to_be_told
FROM (SELECT * FROM requests FINAL WHERE {_JOBS} AND accepted AND {_EXISTS}) AS r
LEFT JOIN (SELECT job_id, state, limits FROM desired FINAL WHERE {_JOBS}) AS d ON d.job_id = r.job_id
LEFT JOIN (SELECT job_id, run, admitted_at, bytes_before FROM admissions FINAL WHERE {_JOBS}) AS a
    ON a.job_id = r.job_id
LEFT JOIN (SELECT job_id, folders, listed_at FROM listings FINAL WHERE {_JOBS}) AS l ON l.job_id = r.job_id
LEFT JOIN (SELECT job_id, seen_at FROM signs FINAL WHERE {_JOBS}) AS s ON s.job_id = r.job_id
LEFT JOIN (SELECT job_id, run, state, side, reason, finished_at FROM outcomes FINAL WHERE {_JOBS}) AS o
    ON o.job_id = r.job_id
LEFT JOIN (SELECT DISTINCT job_id FROM vault WHERE {_JOBS}) AS v ON v.job_id = r.job_id
LEFT JOIN (SELECT DISTINCT job_id FROM notifications WHERE {_JOBS}) AS n ON n.job_id = r.job_id
"""

FOLDER_NAMES = f"SELECT job_id, folder_id, source_names, destination_name FROM folders FINAL WHERE {_JOBS}"

FOLDER_PROGRESS = f"""
SELECT p.*, ifNull(u.verified, 0) AS verified, u.level AS level
FROM ({_PROGRESS}) AS p
LEFT JOIN (SELECT job_id, plan_id, verified, level FROM audits FINAL WHERE {_JOBS}) AS u
    ON u.job_id = p.job_id AND u.plan_id = p.plan_id
"""

# The folders of a job as one; where something failed, those that different runs reported last are apart (see `sums`).
FOLDER_SUMS = f"""
SELECT f.job_id AS job_id, if(f.failed > 0, f.run, 0) AS run, count() AS parts,
    sum(f.completed) AS completed, sum(f.skipped) AS skipped, sum(f.failed) AS failed,
    sum(greatest(f.planned, f.completed + f.skipped + f.failed)) AS total,
    sum(greatest(f.planned, f.completed + f.skipped)) AS total_if_none_failed,
    sum(f.verified) AS verified, groupUniqArrayIf(assumeNotNull(f.level), f.verified > 0) AS levels,
    sum(f.bytes_total) AS bytes_total, sum(f.bytes_completed) AS bytes_completed,
    argMaxIf(f.worker, f.at, f.worker != '') AS worker, maxIf(f.at, f.worker != '') AS worker_at,
    max(greatest(f.planned_at, f.at)) AS reported_at
FROM (
    SELECT *, planned_items + planned_skipped AS planned, ifNull(reported_at, planned_at) AS at
    FROM ({FOLDER_PROGRESS})
) AS f GROUP BY job_id, run
"""

NAMED = f"""
SELECT job_id FROM folders WHERE {_JOBS} UNION DISTINCT SELECT job_id FROM entities WHERE {_JOBS}
"""

NOTES = f"""
SELECT job_id, 'warning' AS kind, number, text, notice, NULL AS side, NULL AS until, NULL AS folder_id
FROM warnings FINAL WHERE {_JOBS}
UNION ALL
SELECT job_id, 'warning', 4294967295, text, notice, NULL, NULL, NULL FROM notices FINAL WHERE {_JOBS} AND text != ''
UNION ALL
SELECT job_id, 'throttle', 0, server_text, NULL, side, until, NULL FROM throttles FINAL WHERE {_JOBS} AND until > {_NOW}
UNION ALL
SELECT job_id, 'failure', run, server_text, NULL, side, NULL, folder_id FROM scan_failures FINAL WHERE {_JOBS}
"""

# A repeated batch is an equal row: LIMIT 1 BY its key does what FINAL would, and reads the range of the key alone.
# 60,000 rows beside 10 million: 22 ms, 38 ms with DISTINCT, 460 ms with FINAL.
RECENT = f"""
SELECT job_id,
    sumIf(bytes, at > {_NOW} - INTERVAL 10 SECOND) AS bytes_10,
    sumIf(items, at > {_NOW} - INTERVAL 10 SECOND) AS items_10,
    minIf(toUnixTimestamp64Micro(at) / 1e6 - seconds, at > {_NOW} - INTERVAL 10 SECOND) AS since_10,
    sum(bytes) AS bytes_60, min(toUnixTimestamp64Micro(at) / 1e6 - seconds) AS since_60
FROM (
    SELECT job_id, at, items, bytes, seconds FROM batches
    WHERE {_JOBS} AND at > {_NOW} - INTERVAL 60 SECOND AND at <= {_NOW}
    LIMIT 1 BY job_id, at, offset
)
GROUP BY job_id
"""

BATCHES = f"""
SELECT fromUnixTimestamp64Micro(intDiv(toUnixTimestamp64Micro(b.at), {{width:Int64}}) * {{width:Int64}}, 'UTC') AS at,
    sum(b.items) AS items, sum(b.bytes) AS bytes, least(sum(b.seconds), {{width:Int64}} / 1e6) AS seconds
FROM (SELECT DISTINCT at, offset, items, bytes, seconds FROM batches WHERE {_JOB} AND at >= {_AFTER}) AS b
GROUP BY at HAVING at >= {_AFTER} ORDER BY at LIMIT {{limit:UInt32}}
"""

# What failed in an earlier run is listed until its folder is tried again; what may not be sent again stays.
FAILED_ITEMS = f"""
SELECT f.happened_at AS at, f.folder_id AS folder_id, f.plan_id AS plan_id, f.source AS source, f.uid AS uid,
    f.reason AS reason, f.server_text AS server_text, f.outcome AS outcome, f.left_out AS left_out
FROM (SELECT * FROM failures FINAL WHERE {_JOBS} AND outcome IN ('failed', 'noted')) AS f
LEFT JOIN ({_PROGRESS}) AS p ON p.job_id = f.job_id AND p.folder_id = f.folder_id
WHERE (p.plan_id IS NULL OR p.plan_id = f.plan_id)
    AND (f.outcome = 'noted' OR f.reason = 'unconfirmed' OR f.run >= ifNull(p.run, 0))
ORDER BY at, length(folder_id), folder_id, source, uid
"""

PLAN_WIRES = f"""
SELECT plan_id, arrayMap(source -> JSONExtractString(source, 'wire'), JSONExtractArrayRaw(sources)) AS wires
FROM plans FINAL WHERE {_JOB}
"""

# ---- for the aggregator

STANDINGS = f"""
SELECT r.job_id AS job_id, r.run AS run, a.run AS admitted_run, o.run AS ended_run,
    ifNull(d.state, 'run') = 'cancel' AS cancelled, d.updated_at AS desired_at,
    l.folders AS folders, ifNull(p.planned, 0) AS planned,
    ifNull(p.settled, 0) + countEqual(p.tried_in, r.run) AS finished,
    ifNull(p.stopped, 0) AS stopped, ifNull(p.completed, 0) AS completed, ifNull(p.skipped, 0) AS skipped,
    ifNull(p.failed, 0) AS failed, ifNull(p.bytes_completed, 0) AS bytes_completed,
    ifNull(u.differing, 0) AS differing, r.dry_run AS dry_run, r.kind AS kind
FROM (
    SELECT job_id, run, kind, JSONExtractString(options, 'mode') = 'dry_run' AS dry_run
    FROM requests FINAL WHERE {_JOBS} AND job_id NOT IN {_DELETED}
) AS r
LEFT JOIN (SELECT job_id, max(run) AS run FROM admissions WHERE {_JOBS} GROUP BY job_id) AS a ON a.job_id = r.job_id
LEFT JOIN (SELECT job_id, state, updated_at FROM desired FINAL WHERE {_JOBS}) AS d ON d.job_id = r.job_id
LEFT JOIN (SELECT job_id, folders FROM listings FINAL WHERE {_JOBS}) AS l ON l.job_id = r.job_id
LEFT JOIN (SELECT job_id, max(run) AS run FROM outcomes WHERE {_JOBS} GROUP BY job_id) AS o ON o.job_id = r.job_id
LEFT JOIN (
    SELECT job_id, count() AS planned, countIf(stopped) AS stopped,
        countIf(f.finished AND f.failed = 0 AND NOT f.stopped) AS settled,
        groupArrayIf(f.run, f.finished AND (f.failed > 0 OR f.stopped)) AS tried_in,
        sum(completed) AS completed, sum(skipped) AS skipped, sum(failed) AS failed,
        sum(bytes_completed) AS bytes_completed
    FROM ({_PROGRESS}) AS f GROUP BY job_id
) AS p ON p.job_id = r.job_id
LEFT JOIN (
    SELECT job_id, sum(rewritten + removed + surplus) AS differing FROM audits FINAL
    WHERE {_JOBS} AND (job_id, plan_id) IN (SELECT job_id, plan_id FROM ({_NEWEST_PLANS})) GROUP BY job_id
) AS u ON u.job_id = r.job_id
"""

CANCELLING = f"SELECT job_id FROM desired FINAL WHERE state = 'cancel' AND {_LIVES}"

# A settled outcome was written anew after its end (see REFRESH).
UNSETTLED = f"""
SELECT {columns(OutcomeRow)} FROM outcomes FINAL
WHERE updated_at <= finished_at AND job_id NOT IN {_DELETED}
ORDER BY finished_at, job_id LIMIT 100
"""

# The oldest waiting job of each account that no job is using; a request younger than `before`
# has its own StartJob on the way, unless an earlier job ended after it was made.
TURNS = f"""
SELECT argMin(r.job_id, (r.created_at, r.job_id)) AS job_id
FROM (
    SELECT job_id, account_digest, created_at FROM requests FINAL
    WHERE accepted AND kind = 'mailbox' AND {_EXISTS}
        AND (job_id, run) NOT IN (SELECT job_id, run FROM outcomes UNION ALL SELECT job_id, run FROM admissions)
        AND account_digest NOT IN (
            SELECT account_digest FROM admissions
            WHERE (job_id, run) NOT IN (SELECT job_id, arrayJoin(range(1, run + 1)) FROM outcomes)
                AND job_id NOT IN {_DELETED}
        )
) AS r
LEFT JOIN (
    SELECT a.account_digest AS account_digest, max(o.finished_at) AS freed_at
    FROM admissions AS a INNER JOIN outcomes AS o ON o.job_id = a.job_id GROUP BY a.account_digest
) AS f ON f.account_digest = r.account_digest
GROUP BY r.account_digest
HAVING min(r.created_at) < {_BEFORE} OR min(r.created_at) <= max(f.freed_at)
"""

UNACCEPTED = f"""
SELECT job_id FROM requests FINAL WHERE NOT accepted AND created_at < {_BEFORE} AND job_id NOT IN {_DELETED} LIMIT 1000
"""

STALE = f"""
SELECT job_id FROM requests FINAL WHERE accepted AND updated_at < {_BEFORE} AND updated_at > {_KEPT} AND {_LIVES}
    AND (kind = 'mailbox' OR job_id IN (SELECT job_id FROM agent_totals WHERE reported_at > {_BEFORE}))
LIMIT 100
"""

SECRETS_LEFT = f"""
SELECT DISTINCT job_id, run FROM vault
WHERE NOT ({_LIVES}) OR (updated_at < {_BEFORE} AND (job_id, run) NOT IN (SELECT job_id, run FROM requests))
"""

LEFTOVERS = " UNION DISTINCT ".join(
    f"SELECT DISTINCT job_id FROM {table} WHERE job_id IN (SELECT job_id FROM tombstones WHERE deleted_at < {_BEFORE})"
    for table in OF_A_JOB
)

TABLES_WITH = " UNION ALL ".join(f"SELECT DISTINCT '{table}' AS name FROM {table} WHERE {_JOBS}" for table in OF_A_JOB)

# By id only: what stands in the WHERE of a mutation is written to its file.
ERASE = {table: f"ALTER TABLE {table} DELETE WHERE {_JOBS}" for table in OF_A_JOB}

# The same version, inserted later, wins; a newer one written meanwhile wins over both.
REFRESH = {
    table: f"""
INSERT INTO {table}
SELECT * REPLACE (greatest({_NOW}, updated_at + toIntervalMicrosecond(1)) AS updated_at)
FROM {table} FINAL WHERE {_JOBS} AND job_id NOT IN {_DELETED}
"""
    for table in STATE_OF_A_JOB
}

NOTIFICATION = f"SELECT sealed FROM notifications FINAL WHERE {_JOB}"

DUE_NOTIFICATIONS = f"""
SELECT job_id, finished_at FROM outcomes FINAL
WHERE job_id IN (SELECT job_id FROM notifications) AND job_id NOT IN {_DELETED}
    AND (job_id, run) IN (SELECT job_id, max(run) FROM requests GROUP BY job_id)
ORDER BY finished_at, job_id LIMIT 100
"""

PROJECTS = "SELECT name, limits FROM projects FINAL WHERE limits != '' ORDER BY name"

# What is sealed, in the tables that have some, to be sealed anew with another key
HELD = {table: f"SELECT DISTINCT job_id FROM {table}" for table in ("vault", "notifications")}
HELD_ROW = {table: f"SELECT * FROM {table} FINAL WHERE {_JOB}" for table in HELD}
PURGE = {table: f"OPTIMIZE TABLE {table} FINAL" for table in HELD}
