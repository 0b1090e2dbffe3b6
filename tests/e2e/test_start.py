"""The start page: what is typed, when it may start, and that nothing of it stays."""

import json

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import CHECK, Person
from tests.e2e.stage import Stage

Staged = tuple[str, Stage]


def test_what_is_typed_can_be_looked_at(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.goto(staged[0])
    secret = page.locator("[name=source-secret]")
    secret.fill("correct horse")
    expect(secret).to_have_attribute("type", "password")

    page.locator("[data-side=source]").get_by_role("button", name="Show what is typed").click()
    expect(secret).to_have_attribute("type", "text")
    expect(secret).to_have_value("correct horse")
    expect(page.locator("[name=destination-secret]")).to_have_attribute("type", "password")

    page.locator("[data-side=source]").get_by_role("button", name="Hide what is typed").click()
    expect(secret).to_have_attribute("type", "password")


def test_an_access_token_is_sent_as_one(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.goto(staged[0])
    form = page.locator("[data-side=source]")
    form.get_by_label("Access token", exact=True).check()
    type_in(page, "source", secret="ya29.token")
    expect(form.get_by_label("Access token (OAuth)")).to_have_value("ya29.token")

    with page.expect_request("**/api/accounts/check") as asked:
        form.get_by_role("button", name=CHECK).click()
    expect(form.locator(".good")).to_contain_text("It works")

    account = json.loads(asked.value.post_data or "")["account"]
    assert account["oauth"] == {"access_token": "ya29.token"}
    assert "password" not in account


def test_it_starts_only_with_both_accounts_checked_as_they_are_typed(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.goto(staged[0])
    start = page.get_by_role("button", name="Start migration")
    needs = page.locator("#needs")
    expect(start).to_be_disabled()
    expect(needs).to_have_text("Check both accounts first.")

    type_in(page, "source")
    check(page, "source")
    expect(start).to_be_disabled()
    expect(needs).to_have_text("Check the destination account first.")
    type_in(page, "destination")
    check(page, "destination")
    expect(start).to_be_enabled()

    for name, text in (
        ("source-secret", "another"),
        ("source-host", "imap.elsewhere.example"),
        ("source-port", "1993"),
    ):
        page.locator(f"[name={name}]").fill(text)
        expect(start).to_be_disabled()
        expect(needs).to_have_text("Check the source account first.")
        check(page, "source")
        expect(start).to_be_enabled()
    page.locator("[data-side=destination]").get_by_label("Access token", exact=True).check()
    expect(start).to_be_disabled()


def test_nothing_typed_comes_back_by_the_back_button(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.goto(staged[0])
    for side in ("source", "destination"):
        type_in(page, side, secret=f"secret of the {side}")
        check(page, side)
    page.locator("summary").click()
    page.get_by_label("Name of this migration").fill("Anna")
    page.get_by_role("button", name="Start migration").click()
    page.wait_for_url("**/jobs/**")
    page.locator("#state").wait_for()

    page.go_back()

    expect(page.get_by_role("heading", name="Move a mailbox")).to_be_visible()
    assert typed(page) == {"source-port": "993", "destination-port": "993"}
    assert "secret of the" not in page.content()
    expect(page.get_by_role("button", name="Start migration")).to_be_disabled()


def test_a_page_that_the_browser_puts_aside_forgets_what_was_typed(staged: Staged, onlooker: Person) -> None:
    page = onlooker.page
    page.goto(staged[0])
    for side in ("source", "destination"):
        type_in(page, side, secret=f"secret of the {side}")
        check(page, side)

    # As a browser does that keeps pages whole for its Back button; this one, driven by a test, keeps none.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")

    expect(page.locator("[name=source-secret]")).to_have_value("")
    assert typed(page) == {"source-port": "993", "destination-port": "993"}
    expect(page.get_by_role("button", name="Start migration")).to_be_disabled()


def typed(page: Page) -> dict[str, str]:
    """What stands in the fields, by their names."""
    fields = page.locator("input:not([type=radio], [type=checkbox])")
    return fields.evaluate_all("all => Object.fromEntries(all.filter((e) => e.value).map((e) => [e.name, e.value]))")


def type_in(page: Page, side: str, secret: str = "correct horse") -> None:
    host = "imap.old-harbour.example" if side == "source" else "imap.newmail.example"
    page.locator(f"[name={side}-host]").fill(host)
    page.locator(f"[name={side}-username]").fill(f"anna@{side}.example")
    page.locator(f"[name={side}-secret]").fill(secret)


def check(page: Page, side: str) -> Locator:
    form = page.locator(f"[data-side={side}]")
    form.get_by_role("button", name=CHECK).click()
    good = form.locator(".good:not(:empty)")
    good.wait_for()
    return good
