"""Everything that `/metrics` tells, with its unit in its name.

A label is a class: a topic, a table, a reason, a route. Never an id, a host, a user or a folder: they would tell who
moves what, and each would be a series for ever. What several processes of a service know alike (jobs, credentials) is
a gauge in each of them: take the maximum, not the sum. What an alert takes the increase of is there from the start: a
series that begins with 1 has none.
"""

from prometheus_client import Counter, Gauge, Histogram

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
PATIENT = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

# ---- mail servers (scanner and copier)

LOGINS = Counter("mailtide_logins_total", "Logins that mail servers accepted.")
LOGIN_FAILURES = Counter("mailtide_login_failures_total", "Accounts that could not be opened, by reason.", ["reason"])
THROTTLES = Counter("mailtide_throttles_total", "Pauses that mail servers asked for.", ["side", "reason"])
FETCHES = Counter("mailtide_fetches_total", "FETCH commands for whole messages.")
FETCHED_ITEMS = Counter(
    "mailtide_fetched_items_total", "Messages that were read whole, also those read back to compare."
)
FETCHED_BYTES = Counter("mailtide_fetched_bytes_total", "Their size.")
APPEND_SECONDS = Histogram(
    "mailtide_append_seconds",
    "From the beginning of an APPEND (of one or many messages) to its answer.",
    ["result"],  # stored, refused, unconfirmed, or lost: it ended before it was sent whole
    buckets=PATIENT,
)
COPIED_ITEMS = Counter("mailtide_copied_items_total", "Messages that destinations have stored.")
COPIED_BYTES = Counter("mailtide_copied_bytes_total", "Their size.")
WORK_ITEMS = Gauge("mailtide_work_items", "Folders in this copier.", ["state"])  # running, waiting

# ---- the log

EVENTS = Counter("mailtide_events_total", "Messages taken from the log.", ["service", "topic"])
EVENTS_UNREADABLE = Counter("mailtide_events_unreadable_total", "Of a type or shape that is not known.", ["topic"])
EVENT_AGE = Histogram(
    "mailtide_event_age_seconds",
    "From the append of a message to its being taken.",
    ["service", "topic"],
    buckets=PATIENT,
)
EVENTS_OPEN = Gauge("mailtide_events_open", "Messages that were taken and are not done.", ["service", "topic"])
LAG = Gauge("mailtide_consumer_lag_events", "Messages of its partitions not taken yet.", ["service", "topic"])

# ---- ClickHouse

INSERT_SECONDS = Histogram("mailtide_clickhouse_insert_seconds", "One durable insert.", ["table"], buckets=QUICK)
INSERTED_ROWS = Counter("mailtide_clickhouse_inserted_rows_total", "Rows that were inserted.", ["table"])
CLICKHOUSE_FAILURES = Counter("mailtide_clickhouse_failures_total", "Statements that failed or got no answer.")

# ---- jobs (aggregator)

JOBS_ENDED = Counter("mailtide_jobs_ended_total", "Runs of jobs that ended.", ["outcome"])
LIVE_JOBS = Gauge("mailtide_live_jobs", "Jobs that have not ended.", ["state"])
CREDENTIALS_HELD = Gauge("mailtide_credentials_held", "Jobs whose credentials are in the vault.")
CENSUS_AGE = Gauge("mailtide_census_age_seconds", "Since jobs and credentials were counted last.")
MAILS = Counter("mailtide_mails_total", "Mails to people whose job has ended.", ["result"])  # sent, failed, given_up

# ---- api

SSE_STREAMS = Gauge("mailtide_sse_streams", "Open streams.", ["kind"])  # job, fleet
SNAPSHOT_SECONDS = Histogram("mailtide_snapshot_seconds", "One read of all watched jobs.", buckets=QUICK)
SNAPSHOT_AGE = Gauge("mailtide_snapshot_age_seconds", "Of the newest snapshot; 0 while nobody watches.")
HTTP_SECONDS = Histogram(
    "mailtide_http_request_seconds",
    "Requests but streams, by route (its template), method and status.",
    ["route", "method", "status"],
    buckets=QUICK,
)
