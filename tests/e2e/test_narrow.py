"""A phone, 390 pixels wide: rows are cards, and a mailbox is moved on it."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.instance import Instance, new_user
from tests.e2e.conftest import DESK, Person, fact
from tests.e2e.screenshots import pictures
from tests.e2e.stage import Stage
from tests.mail.contents import contents, difference
from tests.mail.corpus import small
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

PHONE = {"width": 390, "height": 844}
HOW = {"size": "by size", "identity": "by size, headers and date", "bytes": "byte for byte"}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("name", ["job-running", "job-external", "fleet"])
def test_rows_become_cards(staged: tuple[str, Stage], browser: Browser, name: str) -> None:
    context = browser.new_context(locale="en-GB", viewport=DESK)
    page = context.new_page()
    pictures()[name](page, staged[0])
    rows = page.locator("main table tbody tr:not(.space)")
    expect(rows.first).to_be_visible()
    looks = """all => all.map((row) => [
        getComputedStyle(row).display,
        new Set([...row.children].filter((cell) => cell.offsetWidth > 0).map((cell) => cell.offsetTop)).size,
    ])"""
    head = "head => { const { width, height } = head.getBoundingClientRect(); return [width, height] }"

    wide = rows.evaluate_all(looks)
    assert wide
    assert {display for display, _ in wide} == {"table-row"}
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("main table thead")).to_have_css("clip-path", "inset(50%)")
    narrow = rows.evaluate_all(looks)

    assert {display for display, _ in narrow} == {"grid"}
    assert min(lines for _, lines in narrow) >= 2, "the parts of a row stand below one another"
    assert page.locator("main table thead").evaluate(head) != [0, 0], "the names of the columns are still said"
    context.close()


def test_a_whole_migration_by_clicks_on_a_phone_in_the_dark(
    instance: Instance, dovecot: Dovecot, browser: Browser
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(300))
    look = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
    context = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin", **look)
    person = Person(context)
    page = person.page
    page.goto(instance.url)
    person.fill_both(source, destination)
    expect(page.get_by_text("300 messages in 13 folders will be looked at")).to_be_visible()
    assert page.evaluate(WIDER) == 0
    page.get_by_role("button", name="Start migration").tap()
    person.state("All of it has arrived")

    view = instance.http.get(f"/api/jobs/{page.url.rpartition('/')[2]}").json()
    lasted = datetime.fromisoformat(view["finished_at"]) - datetime.fromisoformat(view["started_at"])
    goes = datetime.fromisoformat(view["expires_at"]).astimezone(ZoneInfo("Europe/Berlin"))
    speed = float(re.match(r"([\d.]+) Mbps$", fact(page, "Average speed").inner_text())[1])
    took = re.match(r"(?:(\d+) mins?,? ?)?(?:(\d+) secs?)?$", fact(page, "It took").inner_text())
    assert took
    minutes, seconds = (int(part or 0) for part in took.groups())
    assert 60 * minutes + seconds == pytest.approx(lasted.total_seconds(), abs=1)
    assert speed == pytest.approx(view["speed_bytes_per_second"] * 8 / 1e6, rel=0.01)
    expect(fact(page, "Copied")).to_contain_text("300")
    expect(fact(page, "Verified")).to_have_text(f"300 {HOW[view['verify_level']]}")
    expect(fact(page, "Failed")).to_have_text("nothing")
    expect(fact(page, "This record erases itself")).to_have_text(f"{goes.day} {goes:%b %Y, %H:%M}")

    person.foot()
    assert page.evaluate(WIDER) == 0
    rows = page.locator(".breakdown tbody tr")
    assert set(rows.evaluate_all("all => all.map((row) => getComputedStyle(row).display)")) == {"grid"}
    red, green, blue = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert max(int(red), int(green), int(blue)) < 64
    assert difference(contents(source), contents(destination)) == ""
    assert person.complaints == []
    context.close()
