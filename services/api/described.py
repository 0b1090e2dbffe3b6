"""The OpenAPI document, with what FastAPI can't know: problems, and that a key in the path needs no token."""

from typing import Any

from fastapi import FastAPI

from services.api import problems


class Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["schemas"].update(problems.schemas())
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _describe(path, operation)
        return super().openapi()


def _describe(path: str, operation: dict[str, Any]) -> None:
    security: list[dict[str, Any]] = operation.get("security", [])
    if "{key}" in path:
        security.insert(0, {})
    elif security:
        operation["responses"] |= problems.OF_OPERATORS if {"operator": []} in security else problems.OF_AGENTS
