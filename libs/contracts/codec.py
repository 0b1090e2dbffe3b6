"""Commands and events as Kafka records: JSON values, CloudEvents 1.0 binary headers.

The type name carries the version (`mailtide.ProgressBatch.v1`); within a
version fields are only added, so unknown fields are ignored when read.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from libs.contracts import commands, events

VERSION = "v1"
SOURCE = "/mailtide"
CONTENT_TYPE = "application/json"
Message = commands.Command | commands.FolderScan | commands.WorkItem | events.Progress | events.JobEvent

_TYPES: dict[str, type] = {f"mailtide.{cls.__name__}.{VERSION}": cls for cls in get_args(Message)}
_NAMES: dict[type, str] = {cls: name for name, cls in _TYPES.items()}
_ADAPTERS: dict[type, TypeAdapter[Any]] = {cls: TypeAdapter(cls) for cls in _NAMES}


class UnknownMessage(ValueError):
    """The record is of a type, or a shape, that this version does not know."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is appended to the log: a JSON value and its CloudEvents headers."""

    value: bytes
    headers: dict[str, bytes]


def headers_schema() -> dict[str, Any]:
    """The headers of every record, as JSON Schema: all of them are texts in UTF-8."""
    described = {
        "ce_specversion": {"const": "1.0"},
        "ce_type": {"description": "The name of the type with its version.", "examples": ["mailtide.ProgressBatch.v1"]},
        "ce_id": {"description": "With ce_source it names the event: what is delivered twice has the same."},
        "ce_source": {"const": SOURCE},
        "ce_time": {"format": "date-time", "description": "When it was appended, UTC."},
        "content-type": {"const": CONTENT_TYPE},
    }
    properties = {name: {"type": "string", **about} for name, about in described.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


def type_name(message: Message) -> str:
    return _NAMES[type(message)]


def encode(message: Message, now: datetime) -> Record:
    name = _NAMES[type(message)]
    return Record(
        value=_ADAPTERS[type(message)].dump_json(message),
        headers={
            "ce_specversion": b"1.0",
            "ce_type": name.encode(),
            "ce_id": _event_id(message, name).encode(),
            "ce_source": SOURCE.encode(),
            "ce_time": now.isoformat().encode(),
            "content-type": CONTENT_TYPE.encode(),
        },
    )


def _event_id(message: Message, name: str) -> str:
    """A job event's is made from job, type and run, so that a repeat is recognised as one."""
    match message:
        case events.JobDeleted():
            return f"{message.job_id}:{name}"
        case (
            events.JobStarted()
            | events.JobCompleted()
            | events.JobCompletedWithErrors()
            | events.JobFailed()
            | events.JobCancelled()
        ):
            return f"{message.job_id}:{name}:{message.run}"
        case _:
            return uuid.uuid4().hex


def decode(value: bytes, headers: dict[str, bytes]) -> Message:
    """
    Raises:
        UnknownMessage: no type header, a type this version does not know, or a value that does not fit it.
    """
    name = headers.get("ce_type", b"").decode("ascii", "replace")
    kind = _TYPES.get(name)
    if kind is None:
        raise UnknownMessage(f"unknown message type {name[:80]!r}")
    try:
        return _ADAPTERS[kind].validate_json(value)
    except ValidationError as error:
        raise UnknownMessage(f"{name} does not fit its schema in {error.error_count()} places") from None
