"""The topics, their keys and their partitions."""

from dataclasses import dataclass
from typing import Literal

PREFIX = "mailtide."


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    name: str
    key: Literal["job_id", "account_digest"]
    partitions: int


# commands and progress have the same number of partitions, so one aggregator owns a job.
# Partition counts do not change while jobs live.
COMMANDS = Topic(name=PREFIX + "commands", key="job_id", partitions=12)
FOLDER_SCANS = Topic(name=PREFIX + "folder-scans", key="account_digest", partitions=12)
WORK_ITEMS = Topic(name=PREFIX + "work-items", key="account_digest", partitions=12)
PROGRESS = Topic(name=PREFIX + "progress", key="job_id", partitions=12)
JOB_EVENTS = Topic(name=PREFIX + "job-events", key="job_id", partitions=12)

ALL = (COMMANDS, FOLDER_SCANS, WORK_ITEMS, PROGRESS, JOB_EVENTS)
