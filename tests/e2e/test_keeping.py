"""The address of a job is kept: copied, shared, scanned, bookmarked."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import DESK, Person
from tests.e2e.stage import Stage

Staged = tuple[str, Stage]
READER = Path(__file__).parents[2] / "services/api/dashboard/node_modules/jsqr/dist/jsQR.js"


def test_both_addresses_are_copied_by_a_click(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{staged[0]}/jobs/running")
    onlooker.foot()
    reading = page.get_by_label("Read-only link", exact=True)
    expect(reading).to_be_visible()
    for button, address in (
        ("Copy your link", f"{staged[0]}/jobs/running"),
        ("Copy the read-only link", reading.input_value()),
    ):
        copy = page.get_by_role("button", name=button)
        copy.click()
        expect(copy).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == address
    assert reading.input_value() != f"{staged[0]}/jobs/running"


def test_where_nothing_may_be_copied_the_address_is_selected(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.add_init_script(
        "navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    page.goto(f"{staged[0]}/jobs/running")
    onlooker.foot()

    page.get_by_role("button", name="Copy your link").click()

    expect(page.get_by_text("Select it and copy by hand")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == f"{staged[0]}/jobs/running"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_reads_the_address_off_the_screen(staged: Staged, browser: Browser, scheme: str) -> None:
    context = browser.new_context(locale="en-GB", viewport=DESK, color_scheme=scheme, bypass_csp=True)
    person = Person(context)
    page = person.page
    page.goto(f"{staged[0]}/jobs/running")
    person.foot()
    page.get_by_label("Read-only link", exact=True).wait_for()
    page.evaluate(READER.read_text() + "; 0")
    read = """async (png) => {
        const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(png), (each) => each.charCodeAt(0))]))
        const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
        canvas.drawImage(bitmap, 0, 0)
        const { data, width, height } = canvas.getImageData(0, 0, bitmap.width, bitmap.height)
        return jsQR(data, width, height, { inversionAttempts: 'dontInvert' }).data
    }"""
    for n, (name, label) in enumerate((("Your link", ""), ("Read-only link", " of the read-only link"))):
        page.get_by_role("button", name="QR code").nth(n).click()
        code = page.get_by_role("img", name=f"QR code{label or ' of your link'}")
        picture = base64.b64encode(code.screenshot()).decode()
        assert page.evaluate(read, picture) == page.get_by_label(name, exact=True).input_value()

        page.get_by_role("button", name="Hide QR code").click()
        expect(code).not_to_be_visible()
    assert person.complaints == []
    context.close()


def test_a_phone_shares_the_address(staged: Staged, browser: Browser) -> None:
    context = browser.new_context(
        locale="en-GB", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    person = Person(context)
    page = person.page
    page.add_init_script("window.shared = []; navigator.share = async (what) => void shared.push(what)")
    page.goto(f"{staged[0]}/jobs/view-running")
    person.foot()

    page.get_by_role("button", name="Share…").tap()

    shared = page.evaluate("shared")
    assert [each["url"] for each in shared] == [f"{staged[0]}/jobs/view-running"]
    assert shared[0]["title"] == page.title()
    expect(page.get_by_text("Use your browser’s menu to bookmark it, or share it to yourself.")).to_be_visible()
    assert person.complaints == []
    context.close()


def test_a_desk_is_told_the_keys_and_offers_no_sheet(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.add_init_script("navigator.share = async () => {}")
    page.goto(f"{staged[0]}/jobs/running")
    onlooker.foot()

    expect(page.get_by_text("Press Ctrl + D to bookmark it.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy your link")).to_be_visible()
    expect(page.get_by_role("button", name="Share…")).to_have_count(0)
