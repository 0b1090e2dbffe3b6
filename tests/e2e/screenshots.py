"""Pictures of every page and state, light, dark and narrow, for eyes to judge: `make screenshots`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from libs.contracts.jobs import JobState
from tests.e2e.browser import chromium
from tests.e2e.stage import OPERATOR, stage

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
    },
}


def main(directory: Path, only: str = "") -> None:
    """`only`: those whose name holds it, "job-running", "-dark"."""
    directory.mkdir(parents=True, exist_ok=True)
    for look, options in LOOKS.items():
        for name, act in {**pictures(), **german()}.items():
            if only in f"{name}-{look}":
                locale = "de-DE" if name in german() else "en-GB"
                with stage() as (url, _):  # one for each: some leave an agent or a job behind
                    _take(url, directory / f"{name}-{look}.png", act, {"locale": locale, **options})


def pictures() -> dict[str, Callable[[Page, str], None]]:
    states = [state.value for state in JobState if state is not JobState.GONE]
    return {f"job-{state}": _job(state) for state in states} | {
        "job-read-only": _job("view-running"),
        "job-delete": _delete,
        "job-cancel": _cancel,
        "job-retry": _retry,
        "job-qr": _qr,
        "job-polling": _polling,
        "broken": _broken,
        "job-resting": _job("resting"),
        "job-limits": _limits,
        "job-dry-run": _job("dry-run"),
        "job-changed": _job("changed"),
        "gone": _gone,
        "start": _start,
        "start-wrong": _start_wrong,
        "start-ready": _start_ready,
        "fleet-token": _fleet_token,
        "fleet": _fleet,
        "fleet-finished": _finished,
        "fleet-projects": _projects,
        "fleet-agents": _agents,
        "job-external": _external("external"),
        "job-external-errors": _external("external-errors"),
    }


def german() -> dict[str, Callable[[Page, str], None]]:
    return {
        "german": _job("completed_with_errors"),
        "german-dry-run": _job("dry-run"),
        "german-failed": _job("failed"),
        "german-resting": _job("resting"),
        "german-start": _start,
        "german-start-refused": _start_refused,
        "german-fleet": _fleet,
        "german-external": _external("external-errors"),
    }


def _take(url: str, file: Path, act: Callable[[Page, str], None], options: dict[str, Any]) -> None:
    with chromium() as browser:  # one for each: in a second window Chromium loses fonts it had found
        page = browser.new_context(reduced_motion="reduce", **options).new_page()
        page.on("pageerror", lambda error: print(f"{file.stem}: {error}"))
        act(page, url)
        page.wait_for_timeout(300)
        page.screenshot(path=file, full_page=True)


def _job(key: str) -> Callable[[Page, str], None]:
    def act(page: Page, url: str) -> None:
        page.goto(f"{url}/jobs/{key}")
        _whole(page)

    return act


def _whole(page: Page) -> None:
    page.locator("#state").wait_for()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.locator("#holds").wait_for()
    page.evaluate("scrollTo(0, 0)")


def _delete(page: Page, url: str) -> None:
    _job("running")(page, url)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").wait_for()


def _cancel(page: Page, url: str) -> None:
    _job("running")(page, url)
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("dialog").wait_for()


def _retry(page: Page, url: str) -> None:
    _job("completed_with_errors")(page, url)
    page.get_by_role("button", name="Try again…").click()
    page.locator("[data-side=destination]").wait_for()


def _qr(page: Page, url: str) -> None:
    _job("running")(page, url)
    page.get_by_role("button", name="QR code").first.click()
    page.get_by_role("img", name="QR code of your link").wait_for()


def _polling(page: Page, url: str) -> None:
    """The stream does not open; the clock of the page is turned until it has given up."""
    page.clock.install()
    page.route("**/events", lambda route: route.fulfill(status=503))
    page.goto(f"{url}/jobs/running")
    mark = page.get_by_text("Asking every 10 seconds")
    for _ in range(200):
        if mark.is_visible():
            break
        page.clock.run_for(500)
    _whole(page)


def _broken(page: Page, url: str) -> None:
    page.route("**/assets/Job-*.js", lambda route: route.abort())
    page.goto(f"{url}/jobs/running")
    page.get_by_role("button", name="Load again").wait_for()


def _limits(page: Page, url: str) -> None:
    _job("resting")(page, url)
    page.get_by_role("button", name="Limits…").click()
    page.get_by_role("button", name="Add another").click()


def _gone(page: Page, url: str) -> None:
    page.goto(f"{url}/jobs/nothing")
    page.locator("h1").wait_for()


def _start(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("h1").wait_for()


def _fill(page: Page, side: str, host: str, user: str, check: str = "Check this account") -> None:
    page.locator(f"[name={side}-host]").fill(host)
    page.locator(f"[name={side}-username]").fill(user)
    page.locator(f"[name={side}-secret]").fill("correct-horse")
    page.locator(f"[data-side={side}]").get_by_role("button", name=check).click()


def _start_wrong(page: Page, url: str) -> None:
    _start(page, url)
    _fill(page, "source", "imap.old-harbour.example", "wrong@old-harbour.example")
    page.locator("[data-side=source] [aria-invalid=true]").wait_for()


def _start_ready(page: Page, url: str) -> None:
    _start(page, url)
    _fill(page, "source", "imap.old-harbour.example", "anna@old-harbour.example")
    page.locator("[data-side=source] .good:not(:empty)").wait_for()
    _fill(page, "destination", "imap.newmail.example", "anna@newmail.example")
    page.locator("[data-side=destination] .good:not(:empty)").wait_for()
    page.locator("summary").click()
    page.get_by_role("button", name="Add a time window").click()


def _start_refused(page: Page, url: str) -> None:
    """The api does not take what the page let pass."""
    _start(page, url)
    for side, host in (("source", "imap.old-harbour.example"), ("destination", "imap.newmail.example")):
        _fill(page, side, host, f"anna@{side}.example", "Dieses Konto prüfen")
        page.locator(f"[data-side={side}] .good:not(:empty)").wait_for()
    page.locator("summary").click()
    page.get_by_label("Weglassen, was größer ist als").fill("0,0000001")
    page.get_by_role("button", name="Umzug starten").click()
    page.locator(".options .wrong:not(:empty)").wait_for()


def _fleet_token(page: Page, url: str) -> None:
    page.goto(f"{url}/fleet")
    page.locator("h1").wait_for()


def _fleet(page: Page, url: str) -> None:
    _fleet_token(page, url)
    page.locator("#token").fill(OPERATOR)
    page.keyboard.press("Enter")
    page.get_by_role("table").wait_for()


def _finished(page: Page, url: str) -> None:
    _fleet(page, url)
    page.get_by_label("Finished in the last 7 days").check()
    page.locator("tr.job", has_text="It could not go on").wait_for()


def _projects(page: Page, url: str) -> None:
    _fleet(page, url)
    page.locator("summary", has_text="Projects").click()
    page.get_by_role("button", name="Change Harbour").click()


def _agents(page: Page, url: str) -> None:
    _fleet(page, url)
    page.locator("summary", has_text="Agents").click()
    page.get_by_label("Name of the agent").fill("Contacts of the office")
    page.get_by_role("button", name="Register the agent").click()
    page.get_by_label("Name of the job").fill("Contacts of Anna")
    page.get_by_label("Kinds of things").fill("Contacts, Groups")
    page.get_by_role("button", name="Make the job").click()
    page.locator(".given a").wait_for()


def _external(key: str) -> Callable[[Page, str], None]:
    def act(page: Page, url: str) -> None:
        _job(key)(page, url)
        page.locator("#entities").wait_for()

    return act


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
