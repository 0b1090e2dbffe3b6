-- What is learned of a destination while mail is copied into it, and what is said of it.

CREATE TABLE IF NOT EXISTS behaviours
(
    account_digest String,
    folder_digest String,
    survives String,
    filters Bool,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (account_digest, folder_digest)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

CREATE TABLE IF NOT EXISTS notices
(
    job_id String,
    folder_id String,
    kind String,
    text String,
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (job_id, folder_id, kind)
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;

ALTER TABLE plans ADD COLUMN IF NOT EXISTS survives String DEFAULT 'bytes';
ALTER TABLE plans ADD COLUMN IF NOT EXISTS destination_uidnext UInt64 DEFAULT 0;
ALTER TABLE plans ADD COLUMN IF NOT EXISTS skipped_gone UInt64 DEFAULT 0;
