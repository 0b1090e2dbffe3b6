"""A person moves a mailbox by clicking, and watches."""

import re
from pathlib import Path

import httpx2
from playwright.sync_api import Browser, expect

from tests.acceptance.instance import Instance, new_user
from tests.e2e.conftest import DESK, Person
from tests.mail.contents import contents, difference
from tests.mail.corpus import Corpus, small
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot, at_most

SLOW_MBPS = 4


def test_a_whole_migration_by_clicks(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(300))
    page = person.page
    page.goto(instance.url)
    start = page.get_by_role("button", name="Start migration")
    expect(start).to_be_disabled()

    person.fill_both(source, destination)
    expect(page.get_by_text("300 messages in 13 folders will be looked at")).to_be_visible()
    start.click()
    person.state("All of it has arrived")

    expect(page.get_by_text("300 of 300 messages looked after")).to_be_visible()
    expect(page).to_have_title("All of it has arrived · Mailtide")
    person.foot()
    expect(page.locator("#holds + ul")).to_contain_text(re.compile(r"Credentials\s+destroyed"), timeout=20_000)
    assert difference(contents(source), contents(destination)) == ""


def test_nothing_that_was_typed_is_kept(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    page = person.page
    page.goto(instance.url)
    person.fill_both(source, destination)
    page.get_by_role("button", name="Start migration").click()
    page.wait_for_url("**/jobs/**")

    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    page.go_back()

    assert kept == '[{},{},""]'
    expect(page.locator("[name=source-secret]")).to_have_value("")


def test_folders_that_are_left_out_are_not_copied(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(120))
    page = person.page
    page.goto(instance.url)
    person.fill_both(source, destination)
    page.locator("summary").click()
    expect(page.locator("li bdi")).to_have_count(13)
    for name in page.locator("li bdi").all_inner_texts():
        if name not in ("INBOX", "Sent"):
            box = page.get_by_role("checkbox", name=name).first
            if box.is_checked():
                box.uncheck()
    expect(page.get_by_text("2 of 13 folders")).to_be_visible()

    page.get_by_role("button", name="Start migration").click()
    person.state("All of it has arrived")

    assert {kept.folder for kept in contents(destination)} == {"INBOX", "Sent"}


def test_a_wrong_password_is_said_at_the_field(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    page = person.page
    page.goto(instance.url)

    person.fill("source", dovecot.account(new_user()), password="not-the-one")

    secret = page.locator("[name=source-secret]")
    expect(secret).to_have_attribute("aria-invalid", "true")
    expect(secret).to_be_focused()
    expect(page.locator("[data-side=source]")).to_contain_text("app password")
    secret.fill(dovecot.password)
    page.locator("[data-side=source]").get_by_role("button", name="Check this account").click()
    expect(page.locator("[data-side=source] .good")).to_contain_text("It works")
    expect(secret).to_have_attribute("aria-invalid", "false")


def test_the_same_account_twice_is_refused_before_it_starts(
    instance: Instance, dovecot: Dovecot, person: Person
) -> None:
    account = dovecot.account(new_user())
    person.page.goto(instance.url)

    person.fill_both(account, account)

    expect(person.page.locator("[data-side=destination]")).to_contain_text("Choose another one")
    expect(person.page.get_by_role("button", name="Start migration")).to_be_disabled()


def test_a_page_that_is_loaded_again_in_the_middle_goes_on(
    instance: Instance, dovecot: Dovecot, person: Person
) -> None:
    job = slow_job(instance, dovecot)
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")
    expect(page.locator(".percent")).to_be_visible(timeout=60_000)
    job.wait(lambda view: (view["progress_percent"] or 0) > 5, 60)

    page.reload()

    shown = int(page.locator(".percent").inner_text(timeout=20_000).rstrip("% "))
    assert shown >= 5
    job.instance.http.delete(job.path)


def test_pausing_and_resuming(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    job = slow_job(instance, dovecot)
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")

    page.get_by_role("button", name="Pause").click()
    person.state("Paused")
    page.get_by_role("button", name="Resume").click()
    person.state("Moving your mail")

    page.get_by_role("button", name="Limits…").click()
    page.get_by_label("Use at most").fill("")
    page.get_by_role("button", name="Set the limits").click()
    person.state("All of it has arrived")


def test_the_curve_of_the_speed_is_there_after_the_end(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    job = slow_job(instance, dovecot)
    begun = job.wait(lambda view: view["items_completed"] > 0, 60)["items_completed"]
    job.wait(lambda view: view["items_completed"] > begun + 50, 60)
    instance.http.patch(f"{job.path}/limits", json={"bandwidth_limit_mbps": None})
    job.wait_for_end()

    person.page.goto(f"{instance.url}/jobs/{job.key}")
    person.state("All of it has arrived")
    person.foot()

    curve = person.page.get_by_role("region", name="Speed over time")
    expect(curve.get_by_role("img")).to_be_visible()
    expect(curve).to_contain_text(re.compile(r"On average [\d.]+ Mbps, at best [\d.]+ Mbps"))


def test_cancelling_asks_first_and_leaves_what_was_copied(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    job = slow_job(instance, dovecot)
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Let it go on").click()
    expect(page.get_by_role("dialog")).not_to_be_visible()

    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Stop the migration").click()

    person.state("Cancelled")
    expect(page.get_by_role("button", name="Pause")).not_to_be_visible()


def test_deleting_leads_back_to_the_start_and_says_so(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    job = slow_job(instance, dovecot)
    page = person.page
    address = f"{instance.url}/jobs/{job.key}"
    page.goto(address)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete everything").click()

    expect(page.get_by_text("everything about it has been deleted")).to_be_visible()
    assert page.url == f"{instance.url}/"
    page.goto(address)
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_who_watches_a_job_that_is_deleted_sees_that_there_is_nothing_any_more(
    instance: Instance, dovecot: Dovecot, person: Person
) -> None:
    job = slow_job(instance, dovecot)
    person.page.goto(f"{instance.url}/jobs/{job.view_key}")
    expect(person.page.get_by_text("You are looking at the read-only page.")).to_be_visible()
    expect(person.page.get_by_role("button", name="Delete…")).not_to_be_visible()

    instance.http.delete(job.path)

    expect(person.page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_the_stream_is_closed_while_the_page_is_hidden(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    job = slow_job(instance, dovecot)
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    hide = """Object.defineProperty(document, 'hidden', { get: () => %s, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))"""

    page.evaluate(hide % "true")
    expect(page.get_by_text("Resting while you look elsewhere")).to_be_visible()
    before = job.wait(lambda view: view["items_completed"] > 0, 60)["items_completed"]
    job.wait(lambda view: view["items_completed"] > before, 60)
    streams = sum(url.endswith("/events") for url in person.requests)
    page.evaluate(hide % "false")

    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert sum(url.endswith("/events") for url in person.requests) == streams + 1
    instance.http.delete(job.path)


def test_a_server_that_is_killed_and_comes_back_is_watched_on(
    browser: Browser, dovecot: Dovecot, tmp_path: Path
) -> None:
    with Instance(tmp_path, dovecot) as instance:
        job = slow_job(instance, dovecot)
        person = Person(browser.new_context(locale="en-GB", viewport=DESK))
        page = person.page
        page.goto(f"{instance.url}/jobs/{job.key}")
        expect(page.locator(".percent")).to_be_visible(timeout=60_000)
        seen: list[int] = []
        page.expose_function("shown", lambda text: seen.append(int(text.rstrip("% "))))
        page.evaluate("setInterval(() => shown(document.querySelector('.percent').textContent), 50)")

        instance.kill()
        expect(page.get_by_text("Reconnecting")).to_be_visible()
        instance.start()

        expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=60_000)
        httpx2.patch(instance.url + job.path + "/limits", json={"bandwidth_limit_mbps": None})
        person.state("All of it has arrived", 120)
        assert seen == sorted(seen), "the percentage jumped back"
        assert person.complaints == []


def test_failed_messages_are_listed_with_the_reason(
    instance: Instance, dovecot: Dovecot, strict_dovecot: Dovecot, browser: Browser, tmp_path: Path
) -> None:
    ports = f"{dovecot.imap_port},{dovecot.imaps_port},{strict_dovecot.imap_port},{strict_dovecot.imaps_port}"
    settings = {"ALLOW_PORTS": ports, "ALLOW_PLAIN": "true"}
    source = dovecot.account(new_user(), security="plain")
    destination = strict_dovecot.account(new_user(), security="plain")
    seed(source, Corpus(messages=60, median_bytes=3_000, sigma=1.5))
    with Instance(tmp_path, dovecot, settings) as own:
        job = own.request(source, destination)
        view = job.wait_for_end()
        assert view["state"] == "completed_with_errors", view
        person = Person(browser.new_context(locale="en-GB", viewport=DESK))
        page = person.page
        page.goto(f"{own.url}/jobs/{job.key}")

        person.state("Done, but not everything")
        section = page.get_by_role("region", name="What could not be copied")
        expect(section.locator("li")).to_have_count(min(20, view["items_failed"]))
        expect(section).to_contain_text("The server said")
        with page.expect_download() as download:
            section.get_by_role("link", name="Download as CSV").click()
        assert len(download.value.path().read_text().splitlines()) == view["items_failed"] + 1

        strict_dovecot.change(at_most("100M"))
        page.get_by_role("button", name="Try again…").click()
        again = page.get_by_role("button", name="Retry", exact=True)
        expect(again).to_be_disabled()
        person.fill_both(source, destination)
        again.click()
        person.state("All of it has arrived")
        expect(section).not_to_be_visible()
        assert person.complaints == []
    assert difference(contents(source), contents(destination)) == ""


def test_a_job_that_failed_says_why_in_the_persons_language_and_is_tried_again(
    instance: Instance, dovecot: Dovecot, browser: Browser
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(40))
    wrong = dovecot.account(destination.username, password="not-the-one")
    job = instance.request(source, wrong)
    job.wait_for_end()
    person = Person(browser.new_context(locale="de-DE", viewport=DESK))
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")

    why = page.get_by_role("region", name="Warum")
    expect(why).to_contain_text("Das Konto am Ziel: Der Server hat Benutzername oder Kennwort abgelehnt.")
    page.get_by_role("button", name="Noch einmal versuchen…").click()
    again = page.get_by_role("button", name="Noch einmal versuchen", exact=True)
    person.fill_both(source, dovecot.account(new_user()), check="Dieses Konto prüfen")
    again.click()
    expect(page.get_by_role("alert").filter(has_text="Das ist ein anderes Konto")).to_be_visible()
    person.fill_both(source, destination, check="Dieses Konto prüfen")
    again.click()

    expect(why).not_to_be_visible()
    job.wait(lambda view: view["state"] == "completed", 60)
    assert difference(contents(source), contents(destination)) == ""


def test_the_owner_finds_the_read_only_address_and_makes_new_ones(
    instance: Instance, dovecot: Dovecot, person: Person
) -> None:
    job = instance.request(dovecot.account(new_user()), dovecot.account(new_user()))
    job.wait_for_end()
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")  # as from a bookmark
    person.foot()
    expect(page.get_by_label("Read-only link", exact=True)).to_have_value(f"{instance.url}/jobs/{job.view_key}")

    page.get_by_role("button", name="Make new links…").click()
    page.get_by_role("button", name="Make new links", exact=True).click()
    page.wait_for_url(lambda url: job.key not in url)
    person.foot()
    reading = page.get_by_label("Read-only link", exact=True).input_value()

    assert instance.http.get(f"/api/jobs/{reading.rpartition('/')[2]}").json()["job_id"] == job.job_id
    assert instance.http.get(job.path).status_code == 404


def slow_job(instance: Instance, dovecot: Dovecot):
    """One that lasts about half a minute."""
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=500, median_bytes=20_000, sigma=0.6))
    return instance.request(source, destination, bandwidth_limit_mbps=SLOW_MBPS)


def test_a_dry_run_says_what_would_be_copied_and_copies_nothing(
    instance: Instance, dovecot: Dovecot, person: Person
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(120))
    page = person.page
    page.goto(instance.url)
    person.fill_both(source, destination)
    page.locator("summary").last.click()

    page.get_by_label("Dry run").check()
    expect(page.get_by_text("Nothing is copied. You will see what would be.")).to_be_visible()
    page.get_by_role("button", name="Start migration").click()
    person.state("This would be copied")

    summary = page.locator("section[aria-labelledby=summary]")
    expect(summary).to_contain_text(re.compile(r"Would be copied\s*120"))
    expect(summary).not_to_contain_text("Verified")
    expect(page.get_by_text("Nothing was copied or changed.")).to_be_visible()
    expect(page.get_by_text("A dry run can’t know")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(re.compile("has arrived|looked after|stopped"))
    assert contents(destination).total() == 0
