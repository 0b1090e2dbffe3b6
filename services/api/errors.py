"""Every error as RFC 9457 `application/problem+json`. Nothing else in the api knows status codes of errors.

A problem never repeats what was sent: that may be a password.
"""

from collections.abc import Mapping, Sequence

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import Response

from libs.eventlog.port import LogUnavailable
from libs.readmodel.port import ReadModelUnavailable
from services.api.headers import SECURITY

log = structlog.get_logger()


class FieldError(BaseModel):
    field: str  # "source.host"
    message: str


class Problem(BaseModel):
    """RFC 9457; `type` is always "about:blank", so `title` is the phrase of the status."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class NoSuchJob(Exception):
    """Unknown, deleted, expired or not for this key: they look the same."""


class InvalidForm(Exception):
    """What was sent is well-formed and can't be done; `field` says where."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field)
        self.field = field
        self.message = message


class JobEnded(Exception):
    """The job has ended; there is nothing left to pause, resume or cancel."""


class NoSuchAgent(Exception):
    """Unknown, or removed."""


class NoSuchProject(Exception):
    """Unknown, or removed."""


class AgentRefused(Exception):
    """There is no agent's bearer token in the request, or one that nobody has."""


class OtherContent(Exception):
    """Another report has this `batch_id`."""


class NothingToRetry(Exception):
    """Nothing has failed, or the job can't be tried again; `message` says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TooManyRequests(Exception):
    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after  # seconds


class OperatorsOnly(Exception):
    """No operator token is configured."""


class TokenRefused(Exception):
    """There is no operator's bearer token in the request, or another one."""


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
DETAILS = {
    400: "The body is not JSON.",
    404: "There is nothing here (any more).",
    405: "This address does not take this method.",
    413: "The body is too large.",
}
RESPONSES: dict[int | str, dict[str, object]] = {
    status: {
        "description": TITLES[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in (400, 404, 405, 409, 413, 422, 429, 503)
}


def problem(
    status: int, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
) -> Response:
    body = Problem(title=TITLES.get(status, "Error"), status=status, detail=detail, errors=list(errors))
    return Response(body.model_dump_json(), status_code=status, media_type="application/problem+json", headers=headers)


def schemas() -> dict[str, object]:
    """What `RESPONSES` refers to, for the OpenAPI document."""
    _, found = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    return found["$defs"]


def install(app: FastAPI) -> None:
    """Map every error to its problem."""

    @app.exception_handler(NoSuchJob)
    def no_such_job(_request: Request, _error: NoSuchJob) -> Response:
        return problem(404, DETAILS[404])

    @app.exception_handler(NoSuchAgent)
    def no_such_agent(_request: Request, _error: NoSuchAgent) -> Response:
        return problem(404, "There is no such agent (any more).")

    @app.exception_handler(NoSuchProject)
    def no_such_project(_request: Request, _error: NoSuchProject) -> Response:
        return problem(404, "There is no such project (any more).")

    @app.exception_handler(AgentRefused)
    def agent_refused(_request: Request, _error: AgentRefused) -> Response:
        return problem(401, "This needs an agent's bearer token.", headers={"WWW-Authenticate": "Bearer"})

    @app.exception_handler(OtherContent)
    def other_content(_request: Request, _error: OtherContent) -> Response:
        message = "Another report has this batch_id. A repeat must be the same; what is new needs a new batch_id."
        return problem(409, message, errors=[FieldError(field="batch_id", message=message)])

    @app.exception_handler(InvalidForm)
    def invalid_form(_request: Request, error: InvalidForm) -> Response:
        return problem(422, error.message, errors=[FieldError(field=error.field, message=error.message)])

    @app.exception_handler(RequestValidationError)
    def does_not_fit(_request: Request, error: RequestValidationError) -> Response:
        if any(each["type"] == "json_invalid" for each in error.errors()):
            return problem(400, DETAILS[400])
        errors = [FieldError(field=_field(each["loc"]), message=_message(each["msg"])) for each in error.errors()[:50]]
        return problem(422, f"{errors[0].field}: {errors[0].message}", errors=errors)

    @app.exception_handler(JobEnded)
    def job_ended(_request: Request, _error: JobEnded) -> Response:
        return problem(409, "The job has ended, or is being cancelled.")

    @app.exception_handler(NothingToRetry)
    def nothing_to_retry(_request: Request, error: NothingToRetry) -> Response:
        return problem(409, error.message)

    @app.exception_handler(TooManyRequests)
    def too_many(_request: Request, error: TooManyRequests) -> Response:
        detail = f"Too many requests from this address. Try again in {error.retry_after} s."
        return problem(429, detail, headers={"Retry-After": str(error.retry_after)})

    @app.exception_handler(OperatorsOnly)
    def operators_only(_request: Request, _error: OperatorsOnly) -> Response:
        return problem(403, "This needs an operator token, and none is configured (MAILTIDE_OPERATOR_TOKEN).")

    @app.exception_handler(TokenRefused)
    def token_refused(_request: Request, _error: TokenRefused) -> Response:
        return problem(401, "This needs the operator's bearer token.", headers={"WWW-Authenticate": "Bearer"})

    @app.exception_handler(LogUnavailable)
    @app.exception_handler(ReadModelUnavailable)
    def unavailable(_request: Request, _error: Exception) -> Response:
        return problem(503, "Mailtide can't do this right now. Try again in a moment.", headers={"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    def of_the_framework(_request: Request, error: HTTPException) -> Response:
        detail = DETAILS.get(error.status_code, TITLES.get(error.status_code, "Error"))
        return problem(error.status_code, detail, headers=error.headers)

    @app.exception_handler(Exception)
    def unexpected(_request: Request, error: Exception) -> Response:
        log.error("api.failed", exc_info=error)
        return problem(500, "Something went wrong inside Mailtide.", headers=SECURITY)  # outside of the middleware


def _field(location: Sequence[str | int]) -> str:
    names = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(names)[:200] or "body"


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")[:1].upper() + text.removeprefix("Value error, ")[1:]
