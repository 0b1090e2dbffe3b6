"""A browser, a Mailtide with the pages built, and a person who clicks."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize

from libs.contracts.accounts import Account
from services.api.built import built
from tests.acceptance.instance import Instance
from tests.e2e.browser import CHROMIUM, chromium
from tests.e2e.stage import Stage, stage
from tests.servers.dovecot import Dovecot, at_most

OPERATOR = "operator-token-of-these-tests"
CHECK = "Check this account"
DESK: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="session", autouse=True)
def pages_and_browser() -> None:
    missing = [] if os.access(CHROMIUM, os.X_OK) else ["Chromium (apt-get install chromium)"]
    missing += [] if built().page else ["the built pages (make dashboard)"]
    if missing:
        reason = f"Not here: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(pages_and_browser: None) -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def instance(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with Instance(tmp_path_factory.mktemp("mailtide"), dovecot, {"OPERATOR_TOKEN": OPERATOR}) as running:
        yield running


class Person:
    """One browser window. Whatever the pages complain about, or ask elsewhere for, is a failure of the test."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self._said(message.type, message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def fill(self, side: str, account: Account, password: str | None = None, check: str = CHECK) -> None:
        """Type an account in, and press the button that checks it."""
        assert account.password
        form = self.page.locator(f"[data-side={side}]")
        form.locator(f"[name={side}-host]").fill(account.host)
        form.locator(f"[name={side}-security]").select_option(account.security)
        form.locator(f"[name={side}-port]").fill(str(account.port))
        form.locator(f"[name={side}-username]").fill(account.username)
        form.locator(f"[name={side}-secret]").fill(password or account.password.get_secret_value())
        form.get_by_role("button", name=check).click()

    def fill_both(self, source: Account, destination: Account, check: str = CHECK) -> None:
        for side, account in (("source", source), ("destination", destination)):
            self.fill(side, account, check=check)
            self.page.locator(f"[data-side={side}] .good:not(:empty)").wait_for()

    def state(self, title: str, seconds: float = 60) -> None:
        """Wait until the job is said to be in this state."""
        self.page.get_by_role("heading", name=title, exact=True).wait_for(timeout=seconds * 1000)

    def foot(self) -> None:
        """Go to the end of the page."""
        self.page.locator(".pair").scroll_into_view_if_needed()
        self.page.locator("#holds").wait_for()

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)


@pytest.fixture
def window(browser: Browser, instance: Instance) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    yield context
    context.close()


@pytest.fixture
def person(window: BrowserContext, instance: Instance) -> Iterator[Person]:
    person = Person(window)
    yield person
    assert person.complaints == []
    elsewhere = [url for url in person.requests if not url.startswith((instance.url, "data:", "blob:"))]
    assert elsewhere == []


@pytest.fixture(scope="module")
def staged() -> Iterator[tuple[str, Stage]]:
    with stage() as opened:
        yield opened


@pytest.fixture
def onlooker(browser: Browser) -> Iterator[Person]:
    """A person in front of what is staged."""
    context = browser.new_context(locale="en-GB", viewport=DESK)
    person = Person(context)
    yield person
    assert person.complaints == []
    context.close()


@pytest.fixture(scope="session")
def strict_dovecot(dovecot_installed: None) -> Iterator[Dovecot]:
    """Takes no message above 20 kB."""
    with Dovecot(settings=at_most("20k")) as server:
        yield server


def fact(page: Page, name: str) -> Locator:
    """What the page of a job says under this name, of its numbers or in its summary."""
    return page.locator("dl.facts > div", has=page.get_by_text(name, exact=True)).locator("dd")


AXE = Path(__file__).parents[2] / "services/api/dashboard/node_modules/axe-core/axe.min.js"


def violations(page: Page) -> list[str]:
    """What axe finds; the context must bypass the policy of the page for that."""
    page.evaluate(AXE.read_text() + "; 0")
    found = page.evaluate(
        "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]
