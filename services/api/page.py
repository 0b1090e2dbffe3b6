"""`/jobs/{key}`: the address people are given. A plain page that leads to the data."""

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from services.api.access import Reader

router = APIRouter(include_in_schema=False)

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="robots" content="noindex"><title>Mailtide</title></head>
<body><h1>Mailtide</h1>
<p>Whoever has the address of this page can follow this migration. Keep it to yourself.</p>
<p><a href="/api/jobs/{key}">The migration as JSON</a>. In a terminal: <code>mailtide watch {url}</code></p>
</body></html>
"""


@router.get("/jobs/{key}")
def page(key: str, access: Reader, request: Request) -> HTMLResponse:  # noqa: ARG001
    return HTMLResponse(PAGE.format(key=escape(key), url=escape(str(request.url))))
