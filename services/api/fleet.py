"""All jobs of a Mailtide as the operator's page sees them, and what has changed between two looks. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from libs.contracts.ids import JobId
from libs.contracts.views import JobView

STAYS = timedelta(minutes=10)  # what ended while somebody watched; after that it is found among the finished


@dataclass(frozen=True, slots=True)
class Fleet:
    """Job views as JSON, oldest job first."""

    jobs: Mapping[JobId, str] = field(default_factory=dict[JobId, str])

    @property
    def json(self) -> str:
        return f"[{','.join(self.jobs.values())}]"


def fleet(before: Fleet, live: Collection[JobId], found: Mapping[JobId, JobView], now: datetime) -> Fleet:
    """`live` jobs and those that ended since `before`; one that was not found is gone."""
    wanted = set(live)
    jobs = [
        job
        for job_id, job in found.items()
        if job_id in wanted or (job_id in before.jobs and (job.finished_at is None or now - job.finished_at < STAYS))
    ]
    jobs.sort(key=lambda job: (job.created_at, job.job_id))
    return Fleet({job.job_id: job.model_dump_json() for job in jobs})


def changes(before: Fleet, after: Fleet) -> str | None:
    """`{"changed": [job view], "gone": [job id]}`, or None when all is as it was."""
    changed = [view for job_id, view in after.jobs.items() if before.jobs.get(job_id) != view]
    gone = [job_id for job_id in before.jobs if job_id not in after.jobs]
    if not changed and not gone:
        return None
    return f'{{"changed":[{",".join(changed)}],"gone":{json.dumps(gone)}}}'
