-- External agents and their jobs.

-- ---- written by api: who may report, which no job takes along when it goes

CREATE TABLE IF NOT EXISTS agents
(
    agent_id String,
    name String,
    token_hash String,
    created_at DateTime64(6, 'UTC'),
    gone Bool,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (agent_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, finished_mutations_to_keep = 1;

-- ---- written by api: whose job it is, and all of it that is text

CREATE TABLE IF NOT EXISTS agent_jobs
(
    job_id String,
    agent_id String,
    items_announced Nullable(UInt64),
    bytes_announced Nullable(UInt64),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS entities
(
    job_id String,
    entity_id String,
    name String,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, entity_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS agent_failures
(
    job_id String,
    batch_id String,
    number UInt32,
    item String,
    reason String,
    text String,
    happened_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, batch_id, number)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- ---- written by aggregator

-- The first offset of a batch stands: it alone is counted. Small granules, as reports ask for single rows.
CREATE TABLE IF NOT EXISTS agent_batches
(
    job_id String,
    batch_id String,
    content String,
    offset UInt64,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, batch_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1,
    index_granularity = 256;

CREATE TABLE IF NOT EXISTS entity_totals
(
    job_id String,
    entity_id String,
    offset UInt64,
    imported UInt64,
    skipped UInt64,
    errored UInt64,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, entity_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS agent_totals
(
    job_id String,
    offset UInt64,
    completed UInt64,
    skipped UInt64,
    failed UInt64,
    bytes_completed UInt64,
    items_total Nullable(UInt64),
    bytes_total Nullable(UInt64),
    speed Nullable(Float64),
    state String,
    started_at DateTime64(6, 'UTC'),
    reported_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- A deleted job is told to its agent, which knows nothing else of it then.
ALTER TABLE tombstones ADD COLUMN IF NOT EXISTS agent_id String DEFAULT '';
