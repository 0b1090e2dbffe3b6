"""A job keeps to its schedule, and to the one it is given while it runs."""

import re
from datetime import UTC, datetime, timedelta

from tests.acceptance.instance import Instance, new_user, wait_for
from tests.mail.contents import contents
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def closed_today() -> dict[str, object]:
    """Also a few minutes before midnight."""
    today = datetime.now(UTC)
    days = [DAYS[day.weekday()] for day in (today, today + timedelta(days=1))]
    return {"days": days, "from": "00:00", "to": "00:00", "mbps": 0}


def sessions(dovecot: Dovecot, user: str) -> int:
    """Connections of this user that are open."""
    log = dovecot.log()
    opened = len(re.findall(rf"imap-login: (?:Info: )?Login: user=<{user}>", log))
    return opened - len(re.findall(rf"imap\({user}\).*(?:Logged out|Disconnected|Connection closed)", log))


def test_a_schedule_that_changes_while_it_runs_takes_effect_at_once(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=400, median_bytes=8_000, sigma=1))
    job = instance.request(source, destination, bandwidth_limit_mbps=4)
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")

    change = {"schedule": [closed_today()], "timezone": "UTC"}
    assert instance.http.patch(f"{job.path}/limits", json=change).status_code == 202
    wait_for(
        lambda: not sessions(dovecot, source.username) + sessions(dovecot, destination.username), 45, "no sessions"
    )
    arrived = contents(destination).total()
    view = job.view()

    assert 0 < arrived < 400
    assert view["state"] == "running"
    assert "schedule" in view["state_text"]
    assert re.fullmatch(r"Nothing is copied until \w{3} 00:00 \(UTC\)\.", view["limit_text"])
    assert view["rate"]["mbps"] == 0
    assert view["limits"]["schedule"] == change["schedule"]

    begun = datetime.now(UTC)
    change = {"schedule": [closed_today() | {"mbps": 1000}]}
    assert instance.http.patch(f"{job.path}/limits", json=change).status_code == 202
    view = job.wait_for_end(30)

    assert datetime.now(UTC) - begun < timedelta(seconds=15)
    assert view["state"] == "completed"
    assert contents(destination) == contents(source)
