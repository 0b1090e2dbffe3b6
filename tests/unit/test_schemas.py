"""What integrations read is described, published, and changes by addition only."""

import copy
import json
import re

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from hypothesis import given
from jsonschema import Draft7Validator, Draft202012Validator

from libs.contracts import schemas, topics
from libs.contracts.codec import decode, encode, headers_schema, type_name
from libs.contracts.compatible import broken
from services.api.integrations import publish
from tests.architecture.tree import ROOT
from tests.conftest import missing
from tests.unit.test_contracts_codec import MESSAGES, NOW

FOLDER = ROOT / "docs/schemas"
ASYNCAPI = ROOT / "services/api/dashboard/node_modules/@asyncapi/specs/schemas/3.0.0.json"
PUBLISHED = {path.stem: json.loads(path.read_text()) for path in FOLDER.iterdir()}
BATCH = "mailtide.ProgressBatch.v1"
FORMATS = Draft202012Validator.FORMAT_CHECKER


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_published_type_is_still_there_and_a_reader_of_it_misses_nothing(name):
    assert broken(PUBLISHED[name], schemas.schema(name)) == []


def test_what_is_published_is_what_is_written_now():
    assert {name: schemas.schema(name) for name in schemas.KINDS} == PUBLISHED, "make schemas"


@given(MESSAGES)
def test_every_event_fits_its_schema_and_its_headers_theirs(message):
    name = type_name(message)
    record = encode(message, NOW)
    headers = {header: text.decode() for header, text in record.headers.items()}

    Draft202012Validator(headers_schema(), format_checker=FORMATS).validate(headers)
    if name in schemas.KINDS:
        Draft202012Validator(schemas.schema(name), format_checker=FORMATS).validate(json.loads(record.value))


@given(MESSAGES)
def test_others_read_it_as_a_cloud_event(message):
    record = encode(message, NOW)
    event = from_binary_event(KafkaMessage(headers=record.headers, key=b"j", value=record.value))

    assert (event.get_type(), event.get_source(), event.get_specversion()) == (type_name(message), "/mailtide", "1.0")
    assert (event.get_time(), event.get_datacontenttype()) == (NOW, "application/json")
    assert decode(json.dumps(event.get_data()).encode(), record.headers) == message


def changed(change):
    schema = copy.deepcopy(schemas.schema(BATCH))
    change(schema)
    return broken(schemas.schema(BATCH), schema)


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].update(added={"type": "string"}),
        lambda schema: (
            schema["$defs"]["Delta"]["properties"].update(added={"$ref": "#/$defs/Delta2"})
            or schema["$defs"].update(Delta2={"type": "object"})
        ),
        lambda schema: schema.update(description="said better"),
    ],
)
def test_a_new_optional_field_is_an_addition(change):
    assert changed(change) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda schema: schema["properties"].pop("failed"), "/failed"),
        (lambda schema: schema["properties"]["failed"].update(type="string"), "/failed/type"),
        (lambda schema: schema["properties"]["failed"].update(maximum=9), "/failed/maximum"),
        (lambda schema: schema["properties"]["run"].update(default=2), "/run/default"),
        (lambda schema: schema["required"].append("run"), ""),
        (lambda schema: schema["required"].remove("failed"), ""),
        (lambda schema: schema["$defs"]["Delta"]["properties"].pop("seconds"), "/delta/seconds"),
        (lambda schema: schema["properties"].update(delta={"type": "integer"}), "/delta/"),
        (lambda schema: schema.update(additionalProperties=False), "/additionalProperties"),
    ],
)
def test_any_other_change_is_found(change, where):
    assert any(each.startswith(where) for each in changed(change))


def test_a_reason_may_be_added_and_none_be_taken():
    before = schemas.schema("mailtide.JobFailed.v1")
    fewer = copy.deepcopy(before)
    gone = fewer["$defs"]["Reason"]["enum"].pop()

    assert broken(fewer, before) == []
    assert broken(before, fewer) == [f"/reason: {gone!r} is gone"]


def test_a_schema_that_would_take_something_is_not_written(tmp_path):
    assert publish(tmp_path) == []
    wider = json.loads((tmp_path / f"{BATCH}.json").read_text())
    wider["properties"]["earlier"] = {"type": "string"}
    (tmp_path / f"{BATCH}.json").write_text(json.dumps(wider))
    (tmp_path / "mailtide.Earlier.v1.json").write_text("{}")

    assert publish(tmp_path) == ["mailtide.Earlier.v1: the type is gone", f"{BATCH}/earlier: it is gone"]
    assert json.loads((tmp_path / f"{BATCH}.json").read_text()) == wider


# ---- AsyncAPI


def test_every_published_type_is_in_the_document_once_with_its_topic():
    document = schemas.asyncapi()
    channels = {one["address"]: one for one in document["channels"].values()}
    named = [name for one in channels.values() for name in one["messages"]]

    assert sorted(document["components"]["messages"][name]["name"] for name in named) == sorted(PUBLISHED)
    assert {address: one["bindings"]["kafka"]["partitions"] for address, one in channels.items()} == {
        topic.name: topic.partitions for topic in (topics.PROGRESS, topics.JOB_EVENTS)
    }
    assert {one["action"] for one in document["operations"].values()} == {"send"}


def test_every_reference_in_the_document_leads_somewhere():
    document = schemas.asyncapi()
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))

    assert references
    for reference in references:
        part = document
        for name in reference.split("/"):
            part = part[name]


def test_the_document_is_what_asyncapi_3_says_it_must_be():
    if not ASYNCAPI.exists():
        missing("The schema of AsyncAPI 3 is not here: make dashboard")
    published = Draft7Validator(json.loads(ASYNCAPI.read_text()))

    assert [(error.json_path, error.message) for error in published.iter_errors(schemas.asyncapi())] == []


def test_the_api_serves_them(client):
    assert client.get("/asyncapi.json").json() == schemas.asyncapi()
    for name, published in PUBLISHED.items():
        assert client.get(published["$id"]).json() == published, name
    assert client.get("/schemas/mailtide.StartJob.v1.json").status_code == 404
