-- Every row carries its own end: the TTL counts from updated_at, 7 days at first; `connect` sets the
-- configured retention. ReplacingMergeTree keeps the newest version of a key.
--
-- fsync_…: an acknowledged insert survives a power loss.
-- min_rows_to_fsync_after_merge: merged and mutated parts too, because what they replace goes at once:
-- old_parts_lifetime, cleanup_…: deleted bytes leave the disk in 1 to 2 s instead of 8 minutes.
-- finished_mutations_to_keep: no list of the deleted.

-- ---- written by api

CREATE TABLE IF NOT EXISTS requests
(
    job_id String,
    kind String,
    key_hash String,
    view_key_hash String,
    name Nullable(String),
    project Nullable(String),
    source_host Nullable(String),
    destination_host Nullable(String),
    account_digest String,
    source_digest String,
    options String,
    created_at DateTime64(6, 'UTC'),
    accepted Bool,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS desired
(
    job_id String,
    state String,
    limits String,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS tombstones
(
    job_id String,
    deleted_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 8 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- ---- written by scanner

CREATE TABLE IF NOT EXISTS admissions
(
    job_id String,
    account_digest String,
    admitted_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS folders
(
    job_id String,
    folder_id String,
    source_wires Array(String),
    source_names Array(String),
    destination_wire String,
    destination_name String,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, folder_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS plans
(
    job_id String,
    folder_id String,
    plan_id String,
    number UInt32,
    destination_wire String,
    destination_uidvalidity UInt32,
    boundary UInt64,
    sources String,
    items UInt64,
    bytes UInt64,
    skipped_present UInt64,
    skipped_filtered UInt64,
    bytes_skipped UInt64,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, folder_id, plan_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS scan_failures
(
    job_id String,
    side String,
    reason String,
    server_text String,
    folder_id Nullable(String),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, side)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS warnings
(
    job_id String,
    number UInt32,
    text String,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, number)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- ---- written by copier

CREATE TABLE IF NOT EXISTS claims
(
    account_digest String,
    folder_digest String,
    incarnation String,
    open Bool,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (account_digest, folder_digest, incarnation)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS acks
(
    job_id String,
    plan_id String,
    source UInt32,
    first_uid UInt32,
    source_uids String,
    destination_uidvalidity Nullable(UInt32),
    destination_uids String,
    items UInt64,
    bytes UInt64,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, plan_id, source, first_uid)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS failures
(
    job_id String,
    folder_id String,
    source UInt32,
    source_uidvalidity UInt32,
    uid UInt32,
    plan_id String,
    outcome String,
    reason String,
    server_text String,
    bytes UInt64,
    happened_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, folder_id, source, source_uidvalidity, uid)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS throttles
(
    job_id String,
    side String,
    reason String,
    until DateTime64(6, 'UTC'),
    server_text String,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, side)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- ---- written by aggregator

CREATE TABLE IF NOT EXISTS listings
(
    job_id String,
    folders UInt32,
    listed_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS planned
(
    job_id String,
    folder_id String,
    plan_id String,
    number UInt32,
    items UInt64,
    bytes UInt64,
    skipped UInt64,
    bytes_skipped UInt64,
    planned_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, folder_id, plan_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS totals
(
    job_id String,
    plan_id String,
    folder_id String,
    worker String,
    completed UInt64,
    skipped UInt64,
    failed UInt64,
    bytes_completed UInt64,
    finished Bool,
    stopped Bool,
    reported_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, plan_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS audits
(
    job_id String,
    plan_id String,
    level String,
    verified UInt64,
    rewritten UInt64,
    removed UInt64,
    recovered UInt64,
    surplus UInt64,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, plan_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- `at` comes before the offset so that the last minute is a range of the key; a repeat has the same time.
CREATE TABLE IF NOT EXISTS batches
(
    job_id String,
    at DateTime64(6, 'UTC'),
    offset UInt64,
    items UInt64,
    bytes UInt64,
    seconds Float64,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, at, offset)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS outcomes
(
    job_id String,
    state String,
    side Nullable(String),
    reason Nullable(String),
    finished_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

-- ---- written by the vault (api stores, aggregator destroys)

CREATE TABLE IF NOT EXISTS vault
(
    job_id String,
    sealed String CODEC(NONE), -- random bytes: nothing to gain, and a search of the files finds them
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;
