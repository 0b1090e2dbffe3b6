"""What failed is tried again while the job still goes on: its credentials are held, so nobody is asked for them."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.acceptance.instance import Instance, new_user
from tests.e2e.conftest import DESK, Person
from tests.mail.corpus import Corpus
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot, at_most


def test_what_failed_is_tried_again_while_the_rest_is_copied(
    dovecot: Dovecot, strict_dovecot: Dovecot, browser: Browser, tmp_path: Path
) -> None:
    strict_dovecot.change(at_most("20k"))
    source, destination = dovecot.account(new_user()), strict_dovecot.account(new_user())
    seed(source, Corpus(messages=150, median_bytes=6_000, sigma=1.2))
    with Instance(tmp_path, [dovecot, strict_dovecot]) as own:
        job = own.request(source, destination, bandwidth_limit_mbps=1)
        person = Person(browser.new_context(locale="en-GB", viewport=DESK))
        page = person.page
        page.goto(f"{own.url}/jobs/{job.key}")
        page.get_by_role("button", name="Try again…").click()
        dialog = page.get_by_role("dialog", name="Try it again?")
        expect(dialog).to_contain_text("What failed or was not done is tried once more.")
        expect(page.locator("[data-side]")).to_have_count(0)
        assert job.view()["state"] == "running"

        dialog.get_by_role("button", name="Not now").click()
        expect(dialog).to_have_count(0)
        assert job.view()["run"] == 1
        page.get_by_role("button", name="Try again…").click()
        dialog.get_by_role("button", name="Retry", exact=True).click()

        expect(dialog).to_have_count(0)
        job.wait(lambda view: view["run"] == 2, 30, "it was started again")
        expect(page.get_by_role("heading", name=re.compile("Looking around|Moving your mail"))).to_be_visible()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        assert person.complaints == []
        page.context.close()
