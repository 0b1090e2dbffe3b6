-- When a worker last had work of a job at hand, whether or not it moved.

CREATE TABLE IF NOT EXISTS signs
(
    job_id String,
    seen_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY job_id
TTL toDateTime(updated_at) + INTERVAL 7 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1, cleanup_delay_period = 1, cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 1, merge_with_ttl_timeout = 300, finished_mutations_to_keep = 1;
