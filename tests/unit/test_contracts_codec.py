import json
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts import events
from libs.contracts.codec import Message, UnknownMessage, decode, encode, type_name
from libs.contracts.commands import CopyFolder, StartJob
from libs.contracts.events import EntityReport, JobCompleted, JobDeleted, ProgressBatch, Throttled
from libs.contracts.ids import JobId
from libs.contracts.reasons import Reason

NOW = datetime(2026, 11, 21, 12, 30, 0, 123456, tzinfo=UTC)
TYPES = get_args(Message)
TEXT = st.text(alphabet="0123456789abcdefj/", max_size=40)
COUNT = st.integers(0, 2**53)
KNOWN = {  # what from_type would make that no message holds: surrogates, infinities, times without a zone
    str: TEXT,
    float: st.floats(0, 1e9),
    float | None: st.none() | st.floats(0, 1e9),
    tuple[EntityReport, ...]: st.lists(
        st.builds(EntityReport, entity_id=TEXT, imported=COUNT, skipped=COUNT, errored=COUNT), max_size=3
    ).map(tuple),
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def message_of(kind: type) -> st.SearchStrategy[Message]:
    hints = {name: getattr(hint, "__supertype__", hint) for name, hint in get_type_hints(kind).items()}
    return st.builds(
        kind,
        **{
            name: message_of(hint) if is_dataclass(hint) else KNOWN.get(hint, st.from_type(hint))
            for name, hint in hints.items()
        },
    )


MESSAGES = st.sampled_from(TYPES).flatmap(message_of)


@given(MESSAGES)
def test_every_message_is_read_as_it_was_written(message):
    record = encode(message, NOW)

    assert decode(record.value, record.headers) == message


@given(MESSAGES)
def test_values_are_plain_json_objects_and_headers_say_what_they_are(message):
    record = encode(message, NOW)

    assert set(json.loads(record.value)) == {field.name for field in fields(message)}
    assert record.headers["ce_type"] == type_name(message).encode()
    assert record.headers["ce_specversion"] == b"1.0"
    assert record.headers["ce_time"] == b"2026-11-21T12:30:00.123456+00:00"
    assert record.headers["content-type"] == b"application/json"


def test_the_type_name_carries_the_version():
    assert type_name(StartJob(job_id=JobId("j"))) == "mailtide.StartJob.v1"
    assert len({f"mailtide.{kind.__name__}.v1" for kind in TYPES}) == len(TYPES)


def test_a_field_that_a_later_version_added_is_passed_over():
    record = encode(StartJob(job_id=JobId("j")), NOW)
    value = json.dumps(json.loads(record.value) | {"added": {"later": [1]}}).encode()

    assert decode(value, record.headers) == StartJob(job_id=JobId("j"))


def test_a_field_with_a_default_may_be_missing():
    headers = {"ce_type": b"mailtide.CopyFolder.v1"}
    value = b'{"job_id": "j", "account_digest": "d", "folder_id": "1", "plan_id": "p", "number": 1}'

    message = decode(value, headers)
    assert isinstance(message, CopyFolder)
    assert message.continuation == 0


@pytest.mark.parametrize("name", [None, b"", b"mailtide.StartJob.v2", b"StartJob", b"\xff\xfe", b"x" * 10_000])
def test_an_unknown_type_is_refused_in_one_short_sentence(name):
    headers = {} if name is None else {"ce_type": name}
    with pytest.raises(UnknownMessage, match=r"^unknown message type") as refused:
        decode(b"{}", headers)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"null", b"{", b'{"job_id": 7}', b'{"job_id": null}', b"\xff"])
def test_a_value_that_does_not_fit_is_refused_without_repeating_it(value):
    with pytest.raises(UnknownMessage, match=r"^mailtide.StartJob.v1 does not fit its schema in 1 places$"):
        decode(value, {"ce_type": b"mailtide.StartJob.v1"})


@given(st.binary(max_size=60), st.dictionaries(st.sampled_from(["ce_type", "x"]), st.binary(max_size=30)))
def test_any_bytes_are_refused_and_never_anything_worse(value, headers):
    with pytest.raises(UnknownMessage):
        decode(value, headers)


def test_wrong_types_are_not_bent_into_right_ones():
    batch = ProgressBatch(
        job_id=JobId("j"), folder_id="1", plan_id="p", worker="w", completed=1, skipped=0, failed=0, bytes_completed=1,
        delta=events.Delta(items=1, bytes=1, seconds=1.0),
    )  # fmt: skip
    record = encode(batch, NOW)
    value = json.loads(record.value) | {"completed": 1.5}
    with pytest.raises(UnknownMessage):
        decode(json.dumps(value).encode(), record.headers)


def test_only_job_events_have_an_id_made_from_job_type_and_run():
    ended = JobCompleted(job_id=JobId("j1"), completed=1, skipped=0, bytes_completed=2)
    assert encode(ended, NOW).headers["ce_id"] == b"j1:mailtide.JobCompleted.v1:1"
    assert encode(ended, NOW).headers["ce_id"] == encode(ended, NOW + timedelta(days=1)).headers["ce_id"]

    assert encode(replace(ended, run=2), NOW).headers["ce_id"] == b"j1:mailtide.JobCompleted.v1:2"
    assert encode(JobDeleted(job_id=JobId("j1")), NOW).headers["ce_id"] == b"j1:mailtide.JobDeleted.v1"

    command = StartJob(job_id=JobId("j1"))
    assert encode(command, NOW).headers["ce_id"] != encode(command, NOW).headers["ce_id"]


def test_times_keep_their_zone():
    throttled = Throttled(job_id=JobId("j"), side="source", reason=Reason.THROTTLED, until=NOW)
    record = encode(throttled, NOW)

    assert decode(record.value, record.headers) == throttled
    assert json.loads(record.value)["until"] == "2026-11-21T12:30:00.123456Z"
