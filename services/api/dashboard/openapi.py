"""Prints the OpenAPI document of the api. It is made offline: no route is called."""

import json
import sys
from typing import cast

from libs.runtime.health import Health
from services.api.app import create_app
from services.api.deps import Deps

Json = dict[str, object]


def resolvable(document: Json) -> Json:
    """`$defs` inside responses become components, which is where a reference of OpenAPI can lead."""
    found: Json = {}

    def hoist(node: Json) -> Json:
        found.update(cast(Json, node.pop("$defs", {})))
        return node

    text = json.dumps(document).replace('"#/$defs/', '"#/components/schemas/')
    hoisted = cast(Json, json.loads(text, object_hook=hoist))
    cast(dict[str, Json], hoisted["components"])["schemas"].update(found)
    return hoisted


if __name__ == "__main__":
    app = create_app(cast(Deps, None), Health({}))
    json.dump(resolvable(app.openapi()), sys.stdout, indent=1)
