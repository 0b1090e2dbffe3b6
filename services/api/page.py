"""The pages people look at: one document for all of them, and the files it loads."""

from html import escape

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from libs.readmodel.port import ReadModelUnavailable
from services.api.access import OperatorToken, opened
from services.api.built import built
from services.api.deps import ClientAddress, Dependencies
from services.api.errors import NoSuchJob
from services.api.headers import SECURITY

router = APIRouter(include_in_schema=False)

# Pictures as data: the mark in the tab is drawn by the page, and the edge of the water is in the style sheet.
CSP = (
    SECURITY["Content-Security-Policy"] + "; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
)
LONG = "public, max-age=31536000, immutable"  # a name of these holds a digest of what is in it
PLAIN = """<!doctype html>
<html lang="en" data-access="owner"><head><meta charset="utf-8"><title>Mailtide</title></head>
<body><h1>Mailtide</h1><p>The dashboard is not built here: make dashboard.</p><!-- job --></body></html>
"""
JOB = """<p>Whoever has the address of this page can follow this migration. Keep it to yourself.</p>
<p><a href="/api/jobs/{key}">The migration as JSON</a>. In a terminal: <code>mailtide watch {url}</code></p>"""


@router.get("/")
def start() -> Response:
    return _page("owner")


@router.get("/fleet")
def fleet() -> Response:
    return _page("owner")


@router.get("/jobs/{key}")
def job(key: str, bearer: OperatorToken, request: Request, client: ClientAddress, deps: Dependencies) -> Response:
    """
    Raises:
        NoSuchJob: to whoever did not ask for a page.
        TooManyRequests
    """
    about = JOB.format(key=escape(key), url=escape(str(request.url)))
    try:
        return _page("owner" if opened(key, bearer, request, client, deps).owner else "reader", about)
    except NoSuchJob:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return _page("none", status=404)
    except ReadModelUnavailable:
        return _page("unknown", status=503)  # the page asks again by itself


@router.get("/favicon.svg")
def favicon(request: Request) -> Response:
    return _file("favicon.svg", request, "public, max-age=86400")


@router.get("/assets/{name}")
def asset(name: str, request: Request) -> Response:
    return _file(f"assets/{name}", request, LONG)


def _page(access: str, about: str = "", status: int = 200) -> Response:
    """`access` is what the visitor may do: owner, reader, none (there is nothing), unknown (it can't be told now)."""
    page = (built().page or PLAIN).replace('data-access="owner"', f'data-access="{access}"')
    return HTMLResponse(page.replace("<!-- job -->", about), status, {"Content-Security-Policy": CSP})


def _file(path: str, request: Request, cache: str) -> Response:
    file = built().files.get(path)
    if file is None:
        raise HTTPException(404)
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.content, media_type=file.media_type, headers=headers)
    return Response(file.gzipped, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
