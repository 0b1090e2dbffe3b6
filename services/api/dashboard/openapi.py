"""Prints the OpenAPI document of the api. It is made offline: no route is called."""

import json
import sys
from typing import cast

from libs.runtime.health import Health
from services.api.app import create_app
from services.api.deps import Deps

if __name__ == "__main__":
    app = create_app(cast(Deps, None), Health({}))
    json.dump(app.openapi(), sys.stdout, indent=1)
