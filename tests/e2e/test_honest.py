"""What is not known is not shown as nothing, what has happened is listed, and the focus stays where a person works."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from libs.contracts.jobs import JobState
from libs.contracts.reasons import WHAT_TO_DO, Reason
from tests.e2e.conftest import DESK
from tests.e2e.stage import OPERATOR, Stage, stage


@pytest.fixture
def staged() -> Iterator[tuple[str, Stage]]:
    with stage() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport=DESK, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def focus(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def test_mail_that_arrived_changed_is_listed_though_nothing_failed(staged: tuple[str, Stage], page: Page) -> None:
    page.goto(f"{staged[0]}/jobs/changed")

    section = page.get_by_role("region", name="Delivered, but worth a look")
    expect(section).to_contain_text("2 messages were delivered")
    expect(section).to_contain_text(WHAT_TO_DO[Reason.REWRITTEN])
    expect(section).to_contain_text("Without $Label1, Rechnung, its date")
    expect(section).to_contain_text("The server said NO [LIMIT] Too many keywords")
    expect(section.get_by_role("link", name="Download as CSV")).to_be_visible()
    expect(page.get_by_role("region", name="What could not be copied")).to_have_count(0)


def test_missing_and_changed_mail_are_listed_apart(staged: tuple[str, Stage], page: Page) -> None:
    page.goto(f"{staged[0]}/jobs/completed_with_errors")

    missing = page.get_by_role("region", name="What could not be copied")
    expect(missing).to_contain_text("3 messages are not at the destination.")
    expect(missing.get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("region", name="Delivered, but worth a look").get_by_role("listitem")).to_have_count(1)


def test_a_failure_within_seconds_of_another_comes_into_the_list(staged: tuple[str, Stage], page: Page) -> None:
    url, model = staged
    model.put("losing", JobState.RUNNING, items_failed=1)
    page.goto(f"{url}/jobs/losing")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/failures") else None)
    expect(page.get_by_text("1 message is not at the destination.")).to_be_visible()
    expect(page.get_by_role("region", name="What could not be copied").get_by_role("listitem")).to_have_count(3)

    model.put("losing", JobState.RUNNING, items_failed=2)

    expect(page.get_by_text("2 messages are not at the destination.")).to_be_visible()
    with page.expect_request(lambda request: request.url.endswith("/failures"), timeout=10_000):
        pass


def test_a_curve_that_could_not_be_fetched_is_not_an_empty_one(staged: tuple[str, Stage], page: Page) -> None:
    page.route("**/batches?*", lambda route: route.abort())
    page.goto(f"{staged[0]}/jobs/completed")

    expect(page.get_by_text("The curve could not be fetched.")).to_be_visible()
    page.unroute("**/batches?*")
    page.get_by_role("region", name="Speed over time").get_by_role("button", name="Try again").click()
    expect(page.get_by_role("img", name="Curve of the speed over time.")).to_be_visible()


def test_finished_jobs_that_could_not_be_fetched_are_asked_for_again(staged: tuple[str, Stage], page: Page) -> None:
    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/api/jobs?state=finished", refuse)
    _enter_fleet(page, staged[0])
    page.get_by_label("Finished in the last 7 days").check()
    expect(page.get_by_role("alert")).to_contain_text("Try again")
    expect(page.get_by_text("Fetching the jobs…")).to_have_count(0)

    page.unroute("**/api/jobs?state=finished", refuse)
    page.get_by_role("button", name="Try again").click()

    over = page.locator("tr.job", has_text="It could not go on")
    expect(over.locator(".bar")).to_have_text("–")
    expect(page.get_by_text("counting")).to_have_count(0)


def test_the_fleet_has_one_stream_also_while_a_job_is_open(staged: tuple[str, Stage], page: Page) -> None:
    open_streams: list[str] = []
    page.on("request", lambda request: open_streams.append(request.url) if "/events" in request.url else None)
    page.on(
        "requestfailed",
        lambda request: open_streams.remove(request.url) if request.url in open_streams else None,
    )
    _enter_fleet(page, staged[0])
    page.locator("a[href='#j-running']").click()
    page.locator("#folders").wait_for()

    assert [url.removeprefix(staged[0]) for url in open_streams] == ["/api/jobs/j-running/events"]

    page.get_by_role("button", name="Back").click()
    page.get_by_role("table").wait_for()
    page.wait_for_function("document.querySelector('tr.job') !== null")
    expect(page.get_by_text("Live")).to_be_visible()
    assert [url.removeprefix(staged[0]) for url in open_streams] == ["/api/jobs/events"]


def test_the_focus_stays_where_the_person_works(staged: tuple[str, Stage], page: Page) -> None:
    url, model = staged
    page.goto(f"{url}/jobs/running")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    model.put("running", JobState.PAUSED)
    expect(page.get_by_role("button", name="Resume")).to_be_focused()

    page.get_by_role("button", name="Limits…").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Use at most").fill("5")
    page.get_by_role("button", name="Set the limits").press("Enter")
    expect(page.get_by_role("button", name="Limits…")).to_be_focused()

    page.get_by_role("button", name="Cancel…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop the migration").press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    model.put("running", JobState.CANCELLING)
    expect(page.get_by_role("heading", name="Stopping")).to_be_focused()


def test_a_job_that_is_gone_is_announced(staged: tuple[str, Stage], page: Page) -> None:
    page.goto(f"{staged[0]}/jobs/running")
    page.locator("#folders").wait_for()

    assert page.request.delete(f"{staged[0]}/api/jobs/running").ok

    expect(page.locator("[aria-live=polite]", has_text="There is no migration at this address.")).to_have_count(1)


def _enter_fleet(page: Page, url: str) -> None:
    page.goto(f"{url}/fleet")
    page.get_by_label("Operator token").fill(OPERATOR)
    page.keyboard.press("Enter")
    page.get_by_role("table").wait_for()
