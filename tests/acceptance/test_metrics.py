"""`/metrics` tells what was done, and nothing of who did it."""

import re
from pathlib import Path

from pydantic import SecretStr

from libs.contracts.topics import ALL, JOB_EVENTS
from tests.acceptance.instance import CLOSED_PORT, Instance, new_user, wait_for
from tests.architecture.test_monitoring import alerts, selectors
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot


def test_a_job_is_counted_where_it_happens(dovecot: Dovecot, tmp_path: Path) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=120, median_bytes=4_000, sigma=1))
    with Instance(tmp_path, dovecot) as instance:
        wrong = source.model_copy(update={"password": SecretStr("wrong")})
        instance.http.post(
            "/api/accounts/check",
            json={"account": wrong.model_dump(mode="json", exclude_none=True) | {"password": "wrong"}},
        )
        job = instance.request(source, destination)
        names = [name for name, _ in job.events()]
        view = job.wait_for_end()
        wait_for(
            lambda: told(instance).get('mailtide_jobs_ended_total{outcome="completed"}') == 1, 10, "the job counts"
        )
        found = told(instance)
        text = instance.http.get("/metrics").text

        assert view["items_completed"] == found["mailtide_copied_items_total"] == 120
        assert found["mailtide_copied_bytes_total"] == view["bytes_completed"]
        assert found["mailtide_fetched_bytes_total"] >= view["bytes_completed"]  # some are read back to compare
        assert found["mailtide_fetched_items_total"] >= 120
        assert found['mailtide_append_seconds_count{result="stored"}'] >= 1
        assert found["mailtide_logins_total"] >= 2
        assert found['mailtide_login_failures_total{reason="login_refused"}'] == 1
        assert found['mailtide_events_total{service="aggregator",topic="mailtide.progress"}'] >= 3
        assert found['mailtide_event_age_seconds_count{service="copier",topic="mailtide.work-items"}'] >= 1
        assert found['mailtide_consumer_lag_events{service="aggregator",topic="mailtide.progress"}'] == 0
        assert found['mailtide_clickhouse_inserted_rows_total{table="acks"}'] >= 1
        assert found['mailtide_http_request_seconds_count{method="POST",route="/api/jobs",status="202"}'] == 1
        assert found["mailtide_snapshot_seconds_count"] >= 1
        assert "snapshot" in names
        assert found['mailtide_sse_streams{kind="job"}'] == 0
        for who in (job.job_id, job.key, job.view_key, source.username, destination.username, source.host, "INBOX"):
            assert who not in text
        assert all(re.fullmatch(r"\w+", name.partition("{")[0]) for name in found)


def test_jobs_and_credentials_are_counted_while_they_live(dovecot: Dovecot, tmp_path: Path) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=50, median_bytes=4_000, sigma=1))
    with Instance(tmp_path, dovecot) as instance:
        job = instance.request(source, destination, bandwidth_limit_mbps=0.05)
        job.wait(lambda view: view["state"] == "running", 30, "it runs")

        def counted() -> bool:
            found = told(instance)
            held, live = found.get("mailtide_credentials_held"), found.get('mailtide_live_jobs{state="running"}')
            return (held, live, found.get('mailtide_work_items{state="running"}', 0) > 0) == (1, 1, True)

        wait_for(counted, 30, "the job is counted")
        assert told(instance)["mailtide_census_age_seconds"] < 20


def test_what_an_alert_looks_at_is_there_before_it_happens(dovecot: Dovecot, tmp_path: Path) -> None:
    """A series that begins with 1 has no increase."""
    wanted = [each for rule in alerts() for each in selectors(rule["expr"]) if not each[0].endswith("_bucket")]
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{CLOSED_PORT}", "MAIL_FROM": "Mailtide <move@example.org>"}
    with Instance(tmp_path, dovecot, mail) as instance:
        wait_for(lambda: "mailtide_live_jobs{" in instance.http.get("/metrics").text, 20, "the jobs are counted")
        found = told(instance)
        missing = [
            (name, labels)
            for name, labels in wanted
            if name != "up"
            and not any(
                each.partition("{")[0] == name and all(f'{label}="{labels[label]}"' in each for label in labels)
                for each in found
            )
        ]

        assert len(wanted) > 12
        assert missing == []
        for topic in ALL:
            if topic is not JOB_EVENTS:
                assert found[f'mailtide_events_unreadable_total{{topic="{topic.name}"}}'] == 0


def told(instance: Instance) -> dict[str, float]:
    """Each series with its value."""
    lines = instance.http.get("/metrics").text.splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }
