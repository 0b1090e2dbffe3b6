"""What integrations read, described from the types themselves: JSON Schema and AsyncAPI 3."""

from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from libs.contracts import events, topics
from libs.contracts.codec import VERSION, headers_schema
from libs.contracts.topics import Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

# The two topics that others may read; the rest is between the services and may change.
PUBLISHED: dict[Topic, tuple[type, ...]] = {
    topics.PROGRESS: get_args(events.Progress),
    topics.JOB_EVENTS: get_args(events.JobEvent),
}
KINDS: dict[str, type] = {f"mailtide.{kind.__name__}.{VERSION}": kind for kinds in PUBLISHED.values() for kind in kinds}
_ABOUT = {
    topics.PROGRESS: "What workers report while jobs run. Totals of a plan, not increments: the newest one holds.",
    topics.JOB_EVENTS: "What became of jobs. The id of an event is made from job, type and run: a repeat has the same.",
}


class _Plain(GenerateJsonSchema):
    """Without a title made from the name of each field."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is pydantic's
        return False


def schema(name: str) -> Schema:
    """The JSON Schema of the values of one type. A reader passes over fields and reasons that it does not know.

    Raises:
        KeyError: no published type has this name.
    """
    made = TypeAdapter(KINDS[name]).json_schema(mode="serialization", schema_generator=_Plain)
    return {"$schema": DIALECT, "$id": f"/schemas/{name}.json", **made}


def asyncapi() -> Schema:
    """The published topics as one document; where the broker is, an installation tells its integrators."""
    inputs = [(name, "serialization", TypeAdapter(kind)) for name, kind in KINDS.items()]
    payloads, definitions = TypeAdapter.json_schemas(
        inputs,  # pyright: ignore[reportArgumentType]
        ref_template="#/components/schemas/{model}",
        schema_generator=_Plain,
    )
    schemas = {**definitions.get("$defs", {}), "CloudEventHeaders": headers_schema()}
    messages: Schema = {}
    for topic, kinds in PUBLISHED.items():
        for kind in kinds:
            name = f"mailtide.{kind.__name__}.{VERSION}"
            payload = payloads[name, "serialization"]
            if "$ref" not in payload:
                schemas[kind.__name__] = payload
                payload = {"$ref": f"#/components/schemas/{kind.__name__}"}
            messages[kind.__name__] = {
                "name": name,
                "title": kind.__name__,
                "summary": schemas[kind.__name__].get("description", ""),
                "contentType": "application/json",
                "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
                "payload": payload,
                "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": "0.5.0"}},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mailtide",
            "version": "1",
            "description": "CloudEvents 1.0 in the binary mode of its Kafka binding. Within a version, fields are only "
            "added. Delivery is at least once; events of one job are in order within a topic.",
        },
        "defaultContentType": "application/json",
        "channels": {_channel(topic): _described(topic, kinds) for topic, kinds in PUBLISHED.items()},
        "operations": {
            f"send-{_channel(topic)}": {"action": "send", "channel": {"$ref": f"#/channels/{_channel(topic)}"}}
            for topic in PUBLISHED
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def _channel(topic: Topic) -> str:
    return topic.name.removeprefix(topics.PREFIX)


def _described(topic: Topic, kinds: tuple[type, ...]) -> Schema:
    return {
        "address": topic.name,
        "description": _ABOUT[topic],
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in kinds},
        "bindings": {"kafka": {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": "0.5.0"}},
    }
