"""What holds on every page: access for everybody, no sideways scrolling, policy, weight, languages."""

import pytest
from playwright.sync_api import Browser, Response, expect

from libs.contracts.jobs import JobState
from tests.acceptance.instance import Instance, new_user
from tests.e2e.conftest import DESK, OPERATOR, Person, violations
from tests.e2e.screenshots import pictures
from tests.e2e.stage import Stage
from tests.mail.corpus import small
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

FIRST_LOAD = 30_000  # bytes of gzipped JavaScript, without the chart
ENDED = {"completed": 36_000, "completed_with_errors": 40_000}  # with what comes when the end is known


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", pictures())
def test_axe_finds_nothing(staged: tuple[str, Stage], browser: Browser, name: str, scheme: str) -> None:
    context = browser.new_context(
        locale="en-GB", viewport=DESK, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()

    pictures()[name](page, staged[0])

    assert violations(page) == []
    context.close()


@pytest.mark.parametrize("name", pictures())
def test_nothing_scrolls_sideways_at_390_pixels(staged: tuple[str, Stage], browser: Browser, name: str) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()

    pictures()[name](page, staged[0])

    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    context.close()


@pytest.mark.parametrize("state", [state.value for state in JobState if state is not JobState.GONE])
def test_no_state_says_zero_of_zero(staged: tuple[str, Stage], browser: Browser, state: str) -> None:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    page = context.new_page()

    pictures()[f"job-{state}"](page, staged[0])

    text = page.locator("main").inner_text()
    assert [each for each in ("0 of 0", "0.0", "0 Mbps", "null", "undefined", "NaN", "Invalid") if each in text] == []
    context.close()


def test_a_job_is_read_in_german(staged: tuple[str, Stage], browser: Browser) -> None:
    context = browser.new_context(locale="de-DE", viewport=DESK)
    page = context.new_page()

    pictures()["job-completed_with_errors"](page, staged[0])

    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", name="Fertig, aber nicht ganz")).to_be_visible()
    expect(page.get_by_text("13.946 von 13.946 Nachrichten erledigt")).to_be_visible()
    expect(page.get_by_text("19,4 Mbit/s", exact=True)).to_be_visible()
    context.close()


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_the_first_load_is_light_and_the_policy_is_kept(
    staged: tuple[str, Stage], browser: Browser, locale: str
) -> None:
    weights = weighed(staged[0], browser, locale, "running", "#folders")

    texts_of_the_chart = sum(size for url, size in weights.items() if "/sections-" in url)
    assert 20_000 < sum(weights.values()) - texts_of_the_chart <= FIRST_LOAD


@pytest.mark.parametrize(("state", "last"), [("completed", "#summary"), ("completed_with_errors", "#failures")])
def test_a_page_of_a_job_that_is_over_is_light(
    staged: tuple[str, Stage], browser: Browser, state: str, last: str
) -> None:
    weights = weighed(staged[0], browser, "de-DE", state, last)

    assert FIRST_LOAD < sum(weights.values()) <= ENDED[state]


def weighed(url: str, browser: Browser, locale: str, state: str, last: str) -> dict[str, int]:
    """Bytes of each script that the browser has fetched when it shows a job with its chart, the chart's left out."""
    context = browser.new_context(locale=locale, viewport={"width": 1280, "height": 720})
    person = Person(context)
    weights: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        if answer.url.endswith(".js"):
            weights[answer.url] = int(answer.headers.get("content-length", 0))

    person.page.on("response", weigh)
    person.page.goto(f"{url}/jobs/{state}")
    person.page.locator(last).wait_for()
    person.page.get_by_role("img").wait_for()
    assert person.complaints == []
    context.close()
    without = {script: size for script, size in weights.items() if "/History-" not in script}
    assert len(without) == len(weights) - 1
    return without


def test_the_headers_of_the_pages(instance: Instance, dovecot: Dovecot) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    job = instance.request(source, destination)
    for path in ("/", "/fleet", f"/jobs/{job.key}"):
        headers = instance.http.get(path, headers={"accept": "text/html"}).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["require-trusted-types-for"] == "'script'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex"
        assert headers["x-frame-options"] == "DENY"

    gone = instance.http.get("/jobs/unknown", headers={"accept": "text/html"})
    page = instance.http.get("/").text
    script = page.partition('src="')[2].partition('"')[0]
    asset = instance.http.get(script, headers={"accept-encoding": "gzip"})

    assert (gone.status_code, gone.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (asset.status_code, asset.headers["content-encoding"]) == (200, "gzip")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert instance.http.get("/assets/../index.html").status_code == 404
    assert instance.http.get("/assets/%2e%2e%2findex.html").status_code == 404


def test_the_fleet_needs_the_token_and_opens_a_job(instance: Instance, dovecot: Dovecot, person: Person) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(200))
    job = instance.request(source, destination, bandwidth_limit_mbps=1)
    page = person.page
    page.goto(f"{instance.url}/fleet")
    page.get_by_label("Operator token").fill("another")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This token is not the operator’s.")).to_be_visible()

    page.get_by_label("Operator token").fill(OPERATOR)
    page.keyboard.press("Enter")
    page.locator(f"a[href='#{job.job_id}']").click()

    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("heading", name="Fleet")).to_be_visible()
    expect(page.locator(f"a[href='#{job.job_id}']")).not_to_be_visible()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
