"""Limits, schedules and projects, set by a person's clicks."""

from playwright.sync_api import Browser, Locator, Page, expect

from tests.acceptance.instance import Instance, new_user
from tests.e2e.conftest import DESK, OPERATOR, Person
from tests.e2e.stage import stage
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot


def test_a_schedule_set_while_it_runs_stops_it_and_says_until_when(
    instance: Instance, dovecot: Dovecot, person: Person
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=300, median_bytes=8_000, sigma=1))
    job = instance.request(source, destination, bandwidth_limit_mbps=3)
    page = person.page
    page.goto(f"{instance.url}/jobs/{job.key}")
    job.wait(lambda view: view["items_completed"] > 0, 30, "messages arrive")

    page.get_by_role("button", name="Limits…").click()
    expect(page.get_by_label("Use at most")).to_have_value("3")
    page.get_by_role("button", name="Add a time window").click()
    for day in ("Sat", "Sun"):
        page.get_by_role("checkbox", name=day).check()
    page.get_by_label("From", exact=True).fill("00:01")
    page.get_by_label("to", exact=True).fill("00:00")
    expect(page.get_by_text("to (the next day)")).to_be_visible()
    page.get_by_role("button", name="Set the limits").click()
    person.state("Waiting for its time", 10)
    expect(page.get_by_text("nothing by its schedule, until")).to_be_visible()

    page.get_by_role("button", name="Limits…").click()
    page.get_by_label("Use at most").fill("much")
    expect(page.get_by_text("Please give a number greater than zero, or leave it empty.")).to_be_visible()
    page.get_by_label("Use at most").fill("")
    page.get_by_role("button", name="Remove time window 1").click()
    page.get_by_role("button", name="Set the limits").click()
    person.state("All of it has arrived", 30)


def test_the_operator_sees_a_job_end_and_keeps_a_project(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, Corpus(messages=100, median_bytes=8_000, sigma=1))
    page = person.page
    page.goto(f"{instance.url}/fleet")
    page.get_by_label("Operator token").fill(OPERATOR)
    page.keyboard.press("Enter")
    page.locator("summary", has_text="Projects").click()
    page.get_by_label("Name of the project").fill("Harbour")
    page.get_by_label("Use at most").fill("4")
    page.get_by_role("button", name="Keep these limits").click()
    page.get_by_role("button", name="Change Harbour").wait_for()

    job = instance.request(source, destination, name="Watched to its end", project="Harbour")
    row = page.locator("tr", has=page.locator(f"a[href='#{job.job_id}']"))
    row.wait_for()
    expect(row).to_contain_text("All of it has arrived", timeout=30_000)
    page.get_by_label("Finished in the last 7 days").check()

    expect(row).to_contain_text("100%")
    assert job.view()["limits"]["bandwidth_limit_mbps"] == 4
    assert len([url for url in person.requests if url.endswith("/api/jobs/events")]) == 1


def test_mail_is_offered_where_it_can_be_sent(instance: Instance, person: Person, browser: Browser) -> None:
    def mail(page: Page, url: str) -> Locator:
        page.goto(url)
        with page.expect_response("**/api/abilities"):
            page.locator("summary").click()
        page.get_by_label("Project").wait_for()
        return page.get_by_label("Mail me when it is done")

    with stage() as (url, _):
        context = browser.new_context(locale="en-GB", viewport=DESK)
        expect(mail(context.new_page(), url)).to_be_visible()
        context.close()
    offered = mail(person.page, instance.url)
    person.page.wait_for_load_state("networkidle")
    expect(offered).not_to_be_visible()
