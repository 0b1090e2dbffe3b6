"""Nothing that the server says in English is on a German page."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.instance import Instance, new_user
from tests.e2e.conftest import DESK, Person
from tests.mail.corpus import small
from tests.mail.seed import seed
from tests.servers.dovecot import Dovecot

CHECK = "Dieses Konto prüfen"


@pytest.fixture
def reader(browser: Browser) -> Iterator[Person]:
    context = browser.new_context(locale="de-DE", viewport=DESK)
    person = Person(context)
    yield person
    context.close()
    assert person.complaints == []


def test_what_is_good_to_know_about_a_job_is_read_in_german(
    instance: Instance, dovecot: Dovecot, reader: Person
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    seed(source, small(30))
    first = instance.request(source, destination, mode="dry_run")
    first.wait_for_end()
    folders = [row["name"] for row in first.get("/breakdown")]
    job = instance.request(source, destination, mode="dry_run", folder_map=dict.fromkeys(folders[:2], "Größe <b>"))
    view = job.wait_for_end()
    assert {notice["kind"] for notice in view["notices"]} == {"folders_joined", "dry_run_blind"}

    reader.page.goto(f"{instance.url}/jobs/{job.key}")

    section = reader.page.get_by_role("region", name="Gut zu wissen")
    joined = f"2 Ordner der Quelle kommen in einen Ordner am Ziel, „Größe <b>“: „{folders[0]}“ und „{folders[1]}“."
    expect(section).to_contain_text(joined)
    expect(section).to_contain_text("Ein Probelauf kann nicht wissen, ob das Ziel die Namen neuer Ordner annimmt")
    expect(section.locator("bdi")).to_have_text(["Größe <b>", *folders[:2]])
    expect(section.locator("[lang=en]")).to_have_count(0)
    said = reader.page.locator("body").inner_text()
    assert [text for text in [*view["warnings"], view["state_text"]] if text in said] == []


def test_what_the_api_would_not_take_is_said_beside_the_field_in_german(
    instance: Instance, dovecot: Dovecot, reader: Person
) -> None:
    source, destination = dovecot.account(new_user()), dovecot.account(new_user())
    page, refused = reader.page, list[Any]()
    page.on("response", lambda answer: refused.append(answer.json()) if answer.status == 422 else None)
    page.goto(instance.url)
    host = page.locator("[name=source-host]")
    reader.fill("source", source.model_copy(update={"host": "a\u0085b"}), check=CHECK)
    expect(page.locator("[data-side=source] .wrong:not(:empty)")).to_have_text(
        "Ein Servername hat keine Leerzeichen, Schrägstriche oder @. Oft beginnt er mit „imap.“."
    )
    expect(host).to_be_focused()

    reader.fill_both(source, destination, check=CHECK)
    page.locator("summary").last.click()
    page.get_by_label("Weglassen, was größer ist als").fill("0,0000001")
    page.get_by_role("button", name="Umzug starten").click()
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_have_text("Größte Nachricht: Bitte mindestens 1 Byte.")
    field = page.get_by_label("Weglassen, was größer ist als")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".options .wrong:not(:empty)")).to_have_text("Bitte mindestens 1 Byte.")

    english = [text for problem in refused for text in (problem["detail"], *(e["message"] for e in problem["errors"]))]
    said = page.locator("body").inner_text()
    assert len(refused) == 2
    assert [text for text in english if text in said] == []
