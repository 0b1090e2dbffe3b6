"""A job that is watched: what its page says, and keeps saying, while reports come in."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from libs.contracts.jobs import JobState
from libs.contracts.reasons import Reason
from libs.contracts.views import FailureRow, RemainingSeconds
from tests.e2e.conftest import DESK, Person, fact
from tests.e2e.screenshots import pictures
from tests.e2e.stage import REFUSED, SLOW_DOWN, Stage

Staged = tuple[str, Stage]


def test_the_tab_shows_the_percent_and_a_pool_that_fills(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    model.put("tab", JobState.RUNNING, progress_percent=41.7)
    page = onlooker.page
    page.goto(f"{url}/jobs/tab")
    expect(page).to_have_title("41% · Moving your mail")
    assert "M0 18.3q" in mark(page)

    model.change("tab", progress_percent=75.0)

    expect(page).to_have_title("75% · Moving your mail")
    assert "M0 9.0q" in mark(page)
    going = mark(page)
    model.change("tab", state=JobState.PAUSED)
    expect(page).to_have_title("75% · Paused")
    assert mark(page) != going


def test_a_pause_that_a_server_asked_for_is_explained_in_its_words_and_counted_down(
    staged: Staged, onlooker: Person
) -> None:
    url, model = staged
    model.put("breath", JobState.THROTTLED, throttled_until=datetime.now(UTC) + timedelta(minutes=5))
    page = onlooker.page
    page.goto(f"{url}/jobs/breath")
    notice = page.get_by_role("region", name="The destination server asked for a pause")
    expect(notice.locator("q bdi")).to_have_text(SLOW_DOWN)
    expect(notice).to_contain_text("Mail servers protect themselves against too much at once.")
    countdown = notice.get_by_role("timer")
    expect(countdown).to_have_text(re.compile(r"Goes on in 4:5\d"))

    first = countdown.inner_text()
    expect(countdown).not_to_have_text(first)
    assert countdown.inner_text() < first, "the countdown goes down"

    model.change("breath", throttled_until=datetime.now(UTC) + timedelta(seconds=2), throttled_side="source")
    expect(page.get_by_role("heading", name="The source server asked for a pause")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text("Going on any moment")


def test_the_page_is_held_still_and_shown_live_again_by_a_click(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    model.put("still", JobState.RUNNING, progress_percent=20.0)
    page = onlooker.page
    page.goto(f"{url}/jobs/still")
    percent = page.locator(".percent")
    expect(percent).to_have_text("20%")

    page.get_by_role("button", name="Hold still").click()
    expect(page.get_by_text("This page is held still. The migration goes on.")).to_be_visible()
    model.change("still", progress_percent=35.0)
    expect(page).to_have_title("35% · Moving your mail")  # the report has come
    expect(percent).to_have_text("20%")

    page.get_by_role("button", name="Show live again").click()
    expect(percent).to_have_text("35%")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    model.change("still", progress_percent=36.0)
    expect(percent).to_have_text("36%")


def test_the_numbers_of_a_job_that_runs(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    sizes = {"bytes_completed": 1_500_000_000, "bytes_total": 2_000_000_000}
    model.put("numbers", JobState.RUNNING, items_completed=7312, items_skipped=211, items_total=13946, **sizes)
    page = onlooker.page
    page.goto(f"{url}/jobs/numbers")

    expect(fact(page, "In all")).to_have_text("13,946")
    expect(fact(page, "Copied")).to_have_text("7,312")
    expect(fact(page, "Already there or left out")).to_have_text("211")
    expect(fact(page, "Failed")).to_have_text("none")
    expect(fact(page, "Copied so far")).to_have_text(re.compile(r"1\.5\sGB\s+of 2\sGB"))
    expect(fact(page, "Worker").locator("bdi")).to_have_text("copier-7f3a")
    expect(fact(page, "Speed")).to_have_text("19.4 Mbps")
    expect(page.locator("#caption")).to_contain_text("about 5–8 minutes left")

    soon = RemainingSeconds(low=20, high=50)
    model.change("numbers", speed_bytes_per_second=1_250_000.0, worker="copier-8a11", remaining_seconds=soon)
    expect(fact(page, "Speed")).to_have_text("10 Mbps")
    expect(fact(page, "Worker")).to_have_text("copier-8a11")
    expect(page.locator("#caption")).to_contain_text("less than a minute left")
    model.change("numbers", speed_bytes_per_second=None, remaining_seconds=None)
    expect(fact(page, "Speed")).to_have_text("nothing at the moment")
    expect(page.locator("#caption")).not_to_contain_text("left")


def test_the_bar_tells_nothing_before_the_totals_are_known(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    model.put("bar", JobState.SCANNING)
    page = onlooker.page
    page.goto(f"{url}/jobs/bar")
    bar = page.get_by_role("progressbar", name="Progress of the migration")
    expect(page.locator("#caption")).to_have_text("Counting: 3 of 8 folders looked through")
    assert bar.evaluate("bar => bar.position") == -1
    expect(page.locator(".percent")).not_to_be_visible()
    expect(fact(page, "In all")).to_have_text("not known yet")

    known = {"items_total": 1000, "items_completed": 120, "items_remaining": 880, "progress_percent": 12.0}
    model.change("bar", state=JobState.RUNNING, folders_planned=8, **known)

    expect(page.locator("#caption")).to_contain_text("120 of 1,000 messages looked after")
    assert bar.evaluate("bar => bar.position") == pytest.approx(0.12)
    expect(page.locator(".percent")).to_have_text("12%")


def test_a_screen_reader_hears_each_state_and_each_ten_percent_once(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    model.put("heard", JobState.RUNNING, progress_percent=47.0)
    page = onlooker.page
    page.goto(f"{url}/jobs/heard")
    expect(page).to_have_title("47% · Moving your mail")
    page.evaluate("""() => {
        const place = document.querySelector('[aria-live=polite]')
        window.said = []
        const change = { childList: true, characterData: true, subtree: true }
        new MutationObserver(() => said.push(place.textContent)).observe(place, change)
    }""")

    for percent in (52, 58, 61):
        model.change("heard", progress_percent=float(percent))
        expect(page).to_have_title(f"{percent}% · Moving your mail")
    model.change("heard", state=JobState.PAUSED)
    expect(page).to_have_title("61% · Paused")
    model.change("heard", worker="copier-8a11")
    expect(fact(page, "Worker")).to_have_text("copier-8a11")

    assert page.evaluate("said") == ["50% done.", "60% done.", "Paused. Nothing is copied at the moment."]
    assert page.locator("[aria-live]").count() == 1


def test_a_page_without_a_stream_asks_every_ten_seconds_and_says_so(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    page = onlooker.page
    pictures()["job-polling"](page, url)
    model.change("running", progress_percent=90.0)
    page.clock.run_for(10_500)
    expect(page.locator(".percent")).to_have_text("90%")
    expect(page.get_by_text("Asking every 10 seconds")).to_be_visible()

    page.unroute_all()
    live = page.get_by_text("Live", exact=True)
    for _ in range(200):  # of half a second
        if live.is_visible():
            break
        page.clock.run_for(500)
    expect(live).to_be_visible()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_for_who_wants_no_motion(staged: Staged, browser: Browser, motion: str) -> None:
    context = browser.new_context(locale="en-GB", viewport=DESK, reduced_motion=motion)
    page = context.new_page()
    moving: list[int] = []
    for state in ("running", "scanning"):  # the water, the mark of the link; the bar that tells nothing yet
        page.goto(f"{staged[0]}/jobs/{state}")
        page.get_by_text("Live", exact=True).wait_for()
        moving.append(page.evaluate("document.getAnimations().length"))
    context.close()

    assert (min(moving) > 0) if motion == "no-preference" else (moving == [0, 0])


@pytest.mark.parametrize(
    ("locale", "why", "said"), [("en-GB", "Why", "The server said"), ("de-DE", "Warum", "Der Server sagte")]
)
def test_a_refused_login_is_told_in_the_words_of_the_server(
    staged: Staged, browser: Browser, locale: str, why: str, said: str
) -> None:
    context = browser.new_context(locale=locale, viewport=DESK)
    page = context.new_page()
    page.goto(f"{staged[0]}/jobs/failed")

    section = page.get_by_role("region", name=why, exact=True)
    expect(section.get_by_text(said, exact=True)).to_be_visible()
    expect(section.locator("q > bdi")).to_have_text(REFUSED)
    context.close()


HOSTILE = ("<img src=x onerror=alert(1)>", "Rechnung\u202egpj.exe", "</bdi></th><script>alert(2)</script>")
SAID = "NO <b onclick=alert(3)>refused</b> <img src=y onerror=alert(4)>"


def test_names_and_answers_of_servers_are_text(staged: Staged, onlooker: Person) -> None:
    url, model = staged
    texts = {"throttle_server_text": SAID, "worker": HOSTILE[0], "name": HOSTILE[0], "source_host": HOSTILE[2]}
    job_id = model.put("hostile", JobState.THROTTLED, items_failed=1, **texts)
    rows = model.snapshots[job_id].breakdown
    model.change("hostile", rows=[rows[n].model_copy(update={"name": name}) for n, name in enumerate(HOSTILE)])
    about = {"folder": HOSTILE[1], "uid": 7, "reason": Reason.MESSAGE_REFUSED, "what_to_do": ""}
    failure = FailureRow(at=model.started, server_text=SAID, **about)
    page = onlooker.page
    page.route("**/failures", lambda route: route.fulfill(json=[failure.model_dump(mode="json")]))
    page.goto(f"{url}/jobs/hostile")
    folders = page.locator("section[aria-labelledby=folders] th > bdi:first-child")
    expect(folders).to_have_count(3)
    said = page.locator("main q > bdi")
    expect(said).to_have_count(2)  # why it pauses, and why a message is not there

    assert folders.all_text_contents() == list(HOSTILE)
    assert said.all_text_contents() == [SAID, SAID]
    assert fact(page, "Worker").locator("bdi").text_content() == HOSTILE[0]
    assert page.locator(".route bdi").all_text_contents() == [HOSTILE[0], HOSTILE[2], "imap.newmail.example"]
    assert page.locator("section[aria-labelledby=failures] li bdi").first.text_content() == HOSTILE[1]
    directions = "all => [...new Set(all.map(each => getComputedStyle(each).unicodeBidi))]"
    assert page.locator("main bdi").evaluate_all(directions) == ["isolate"]
    assert page.locator("main :is(img, b, script)").count() == 0


def mark(page: Page) -> str:
    """The picture in the tab, as SVG."""
    href = page.locator("link[rel=icon]").get_attribute("href")
    assert href
    assert href.startswith("data:image/svg+xml,")
    return unquote(href)
