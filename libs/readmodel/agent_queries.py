"""The questions about external agents and their jobs. As in `queries`: values are bound, FINAL gives the newest."""
# ruff: noqa: S105, S608  (what is put together here are constants of this module)

from libs.readmodel.rows import AgentTotalsRow, EntityTotalsRow
from libs.readmodel.tables import columns

_JOB = "job_id = {job:String}"
_JOBS = "job_id IN splitByChar(',', {jobs:String})"
_KEPT = "{kept:DateTime64(6, 'UTC')}"

AGENTS = "SELECT agent_id, name, created_at FROM agents FINAL WHERE NOT gone ORDER BY name, agent_id"
AGENT_BY_TOKEN = "SELECT agent_id FROM agents FINAL WHERE token_hash = {hash:String} AND NOT gone LIMIT 1"
AGENT_OF = f"SELECT agent_id FROM agent_jobs FINAL WHERE {_JOB}"

# ---- for the route of reports

CONTENT = f"SELECT argMin(content, offset) AS content FROM agent_batches WHERE {_JOB} AND batch_id = {{batch:String}}"
ENTITY_NAMES = f"SELECT entity_id, name FROM entities FINAL WHERE {_JOB}"

# ---- what agents are to do: all their live jobs, and the deleted ones while their tombstones last

ORDERS = f"""
SELECT j.agent_id AS agent_id, j.job_id AS job_id, ifNull(d.state, 'run') AS command,
    ifNull(d.limits, r.options) AS limits
FROM (SELECT job_id, agent_id FROM agent_jobs FINAL WHERE agent_id IN {{agents:Array(String)}}) AS j
INNER JOIN (
    SELECT job_id, options FROM requests FINAL
    WHERE kind = 'external' AND accepted AND updated_at > {_KEPT} AND job_id NOT IN (SELECT job_id FROM tombstones)
        AND (job_id, run) NOT IN (SELECT job_id, run FROM outcomes)
) AS r ON r.job_id = j.job_id
LEFT JOIN (SELECT job_id, state, limits FROM desired FINAL) AS d ON d.job_id = j.job_id
UNION ALL
SELECT agent_id, job_id, 'delete', '{{}}' FROM tombstones FINAL WHERE agent_id IN {{agents:Array(String)}}
ORDER BY agent_id, job_id
"""

# ---- for the aggregator

FIRST_OFFSETS = f"""
SELECT job_id, batch_id, min(offset) AS offset FROM agent_batches
WHERE {_JOBS} AND batch_id IN {{batches:Array(String)}} GROUP BY job_id, batch_id
"""
AGENT_TOTALS = f"SELECT {columns(AgentTotalsRow)} FROM agent_totals FINAL WHERE {_JOBS}"
ENTITY_TOTALS = f"SELECT {columns(EntityTotalsRow)} FROM entity_totals FINAL WHERE {_JOBS}"

# ---- for those who watch

AGENT_PROGRESS = f"""
SELECT j.job_id AS job_id, j.agent_id AS agent_id, a.name AS agent_name,
    ifNull(t.items_total, j.items_announced) AS items_announced,
    ifNull(t.bytes_total, j.bytes_announced) AS bytes_announced,
    ifNull(t.completed, 0) AS completed, ifNull(t.skipped, 0) AS skipped, ifNull(t.failed, 0) AS failed,
    ifNull(t.bytes_completed, 0) AS bytes_completed, t.speed AS speed,
    t.started_at AS started_at, t.reported_at AS reported_at
FROM (SELECT job_id, agent_id, items_announced, bytes_announced FROM agent_jobs FINAL WHERE {_JOBS}) AS j
LEFT JOIN (SELECT * FROM agent_totals FINAL WHERE {_JOBS}) AS t ON t.job_id = j.job_id
LEFT JOIN (SELECT agent_id, name FROM agents FINAL) AS a ON a.agent_id = j.agent_id
"""

ENTITIES = f"""
SELECT e.job_id AS job_id, e.name AS name, t.job_id IS NOT NULL AS reported,
    ifNull(t.imported, 0) AS imported, ifNull(t.skipped, 0) AS skipped, ifNull(t.errored, 0) AS errored
FROM (SELECT job_id, entity_id, name FROM entities FINAL WHERE {_JOBS}) AS e
LEFT JOIN (SELECT * FROM entity_totals FINAL WHERE {_JOBS}) AS t
    ON t.job_id = e.job_id AND t.entity_id = e.entity_id
ORDER BY job_id, name
"""

AGENT_FAILURES = f"""
SELECT happened_at AS at, item, reason, text AS server_text FROM agent_failures FINAL WHERE {_JOB}
ORDER BY happened_at, batch_id, number
"""
