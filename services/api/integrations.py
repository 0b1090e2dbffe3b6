"""For those who read the topics: what is in them. `python -m services.api.integrations FOLDER` writes the schemas."""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from libs.contracts import schemas
from libs.contracts.compatible import broken

router = APIRouter(include_in_schema=False)


@router.get("/asyncapi.json")
def asyncapi() -> dict[str, Any]:
    return schemas.asyncapi()


@router.get("/schemas/{name}.json")
def schema(name: str) -> dict[str, Any]:
    if name not in schemas.KINDS:
        raise HTTPException(404)
    return schemas.schema(name)


def publish(folder: Path) -> list[str]:
    """Write every schema, unless that would take something from a reader; what it would take."""
    published = {path.stem: json.loads(path.read_text()) for path in folder.glob("mailtide.*.json")}
    taken = [f"{name}: the type is gone" for name in sorted(published.keys() - schemas.KINDS.keys())]
    for name in sorted(published.keys() & schemas.KINDS.keys()):
        taken += [f"{name}{each}" for each in broken(published[name], schemas.schema(name))]
    if not taken:
        folder.mkdir(parents=True, exist_ok=True)
        for name in schemas.KINDS:
            (folder / f"{name}.json").write_text(json.dumps(schemas.schema(name), indent=2) + "\n")
    return taken


if __name__ == "__main__":
    sys.exit("\n".join(publish(Path(sys.argv[1]))) or 0)
