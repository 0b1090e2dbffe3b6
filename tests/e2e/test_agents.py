"""The operator registers an agent and makes a job for it; the agent reports; people watch."""

import shutil
import subprocess

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.instance import Instance, wait_for
from tests.e2e.conftest import DESK, OPERATOR, Person, violations


def agents(page: Page, instance: Instance, label: str = "Operator token", fold: str = "Agents") -> None:
    page.goto(f"{instance.url}/fleet")
    page.get_by_label(label).fill(OPERATOR)
    page.keyboard.press("Enter")
    page.locator("summary", has_text=fold).click()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the command on the page is one of curl")
def test_an_agent_is_registered_given_a_job_and_watched(instance: Instance, person: Person) -> None:
    page = person.page
    agents(page, instance)
    page.get_by_label("Name of the agent").fill("Contacts of the office")
    page.get_by_role("button", name="Register the agent").click()
    expect(page.get_by_text("it is shown only now")).to_be_visible()
    token = page.locator("code").inner_text()
    assert token not in page.evaluate("document.cookie + location.href")

    page.get_by_label("Name of the job").fill("Contacts of Anna")
    page.get_by_label("Items in all").fill("1 000")
    page.get_by_label("Kinds of things").fill("Contacts, Groups")
    page.get_by_role("button", name="Make the job").click()
    job = page.locator(".given a")
    address = job.get_attribute("href")
    row = page.locator("tr.job", has_text="Contacts of Anna")
    expect(row).to_contain_text("Waiting for its agent", timeout=20_000)

    said = subprocess.run(["sh", "-c", page.locator("pre").inner_text()], capture_output=True, text=True, timeout=30)
    assert said.stdout == '{"repeated":false}', said
    expect(row).to_contain_text("Its agent is at work")

    assert address
    page.goto(address)
    person.state("Its agent is at work")
    expect(page.get_by_role("row", name="Groups")).to_contain_text("waiting")
    expect(page.get_by_text("1 of 1,000 items looked after")).to_be_visible()

    job_id = instance.http.get(f"/api/jobs/{address.rpartition('/')[2]}").json()["job_id"]
    last = {"batch_id": "last", "job_id": job_id, "items_completed": 0, "bytes_completed": 0, "items_failed": 1}
    failures = [{"item": "anna.vcf", "text": "No name in it"}]
    entities = {"Contacts": {"imported": 1}, "Groups": {"errored": 1}}
    auth = {"authorization": f"Bearer {token}"}
    form = last | {"failures": failures, "entities": entities, "state": "completed"}
    assert instance.http.post("/api/progress", json=form, headers=auth).status_code == 202
    person.state("Done, but not everything")
    expect(page.get_by_text("1 item was not carried over.")).to_be_visible()
    expect(page.get_by_text("anna.vcf")).to_be_visible()
    expect(page.get_by_text("No name in it")).to_be_visible()
    expect(page.get_by_text("message no.")).not_to_be_visible()
    expect(page.get_by_role("row", name="Groups")).to_contain_text("1")
    expect(page.get_by_role("button", name="Try again…")).not_to_be_visible()
    expect(page.get_by_text("Names of items, and what the agent said")).to_be_visible()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete everything about this job?")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()

    agents(page, instance)
    page.get_by_role("button", name="Remove Contacts of the office").click()
    page.get_by_role("button", name="Remove the agent").click()
    expect(page.get_by_text("There is no agent yet.")).to_be_visible()
    wait_for(
        lambda: instance.http.get("/api/agents/me/commands?wait_seconds=0", headers=auth).status_code == 401,
        30,
        "the token of an agent that was removed opens nothing",
    )


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_the_form_has_no_flaw_that_axe_knows_and_fits_a_phone(
    instance: Instance, browser: Browser, scheme: str, width: int
) -> None:
    viewport = {**DESK, "width": width}
    context = browser.new_context(locale="de-DE", color_scheme=scheme, viewport=viewport, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    agents(page, instance, "Token des Betriebs", "Agenten")
    page.get_by_label("Name des Agenten").fill("Kontakte")
    page.get_by_role("button", name="Agenten anmelden").click()
    page.get_by_label("Name des Auftrags").fill("Kontakte von Anna")
    page.get_by_label("Arten von Dingen").fill("Kontakte, Notizen")
    page.get_by_role("button", name="Auftrag anlegen").click()
    address = page.locator(".given a")
    expect(address).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(address.get_attribute("href") or "")
    expect(page.get_by_role("heading", name="Wartet auf seinen Agenten")).to_be_visible()
    expect(page.get_by_role("heading", name="Inhalt")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_a_project_is_removed(instance: Instance, person: Person) -> None:
    instance.http.put("/api/projects/Jetty", json={}, headers={"authorization": f"Bearer {OPERATOR}"})
    page = person.page
    agents(page, instance, fold="Projects")
    page.get_by_role("button", name="Remove Jetty").click()
    page.get_by_role("button", name="Remove the project").click()
    expect(page.get_by_role("button", name="Remove Jetty")).not_to_be_visible()
    projects = instance.http.get("/api/projects", headers={"authorization": f"Bearer {OPERATOR}"}).json()
    assert "Jetty" not in [project["name"] for project in projects]
