"""Every error as a problem. Nothing else in the api knows status codes of errors."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from libs.eventlog.port import LogUnavailable
from libs.readmodel.port import ReadModelUnavailable
from services.api.headers import SECURITY
from services.api.problems import OF_A_STATUS, FieldCode, ProblemCode, about, of_pydantic, problem

MOST_ERRORS = 50  # told of one request

log = structlog.get_logger()


class NoSuchJob(Exception):
    """Unknown, deleted, expired or not for this key: they look the same."""


class InvalidForm(Exception):
    """What was sent is well-formed and can't be done; `field` says where."""

    def __init__(self, field: str, code: FieldCode, limit: int | None = None) -> None:
        super().__init__(field)
        self.field = field
        self.code = code
        self.limit = limit


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
    """Nothing has failed, or the job can't be tried again; `code` says which."""

    def __init__(self, code: ProblemCode) -> None:
        super().__init__(code)
        self.code = code


class TooManyRequests(Exception):
    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after  # seconds


class OperatorsOnly(Exception):
    """No operator token is configured."""


class TokenRefused(Exception):
    """There is no operator's bearer token in the request, or another one."""


_BEARER = {"WWW-Authenticate": "Bearer"}


def install(app: FastAPI) -> None:
    """Map every error to its problem."""

    @app.exception_handler(NoSuchJob)
    def no_such_job(_request: Request, _error: NoSuchJob) -> Response:
        return problem(404, ProblemCode.NOTHING_HERE)

    @app.exception_handler(NoSuchAgent)
    def no_such_agent(_request: Request, _error: NoSuchAgent) -> Response:
        return problem(404, ProblemCode.NO_SUCH_AGENT)

    @app.exception_handler(NoSuchProject)
    def no_such_project(_request: Request, _error: NoSuchProject) -> Response:
        return problem(404, ProblemCode.NO_SUCH_PROJECT)

    @app.exception_handler(AgentRefused)
    def agent_refused(_request: Request, _error: AgentRefused) -> Response:
        return problem(401, ProblemCode.AGENTS_ONLY, headers=_BEARER)

    @app.exception_handler(OtherContent)
    def other_content(_request: Request, _error: OtherContent) -> Response:
        error = about("batch_id", FieldCode.OTHER_CONTENT)
        return problem(409, ProblemCode.OTHER_CONTENT, detail=error.message, errors=[error])

    @app.exception_handler(InvalidForm)
    def invalid_form(_request: Request, invalid: InvalidForm) -> Response:
        error = about(invalid.field, invalid.code, invalid.limit)
        return problem(422, ProblemCode.INVALID, detail=error.message, errors=[error])

    @app.exception_handler(RequestValidationError)
    def does_not_fit(_request: Request, error: RequestValidationError) -> Response:
        if any(each["type"] == "json_invalid" for each in error.errors()):
            return problem(400, ProblemCode.NOT_JSON)
        errors = [of_pydantic(each) for each in error.errors()[:MOST_ERRORS]]
        return problem(422, ProblemCode.INVALID, detail=f"{errors[0].field}: {errors[0].message}", errors=errors)

    @app.exception_handler(JobEnded)
    def job_ended(_request: Request, _error: JobEnded) -> Response:
        return problem(409, ProblemCode.JOB_ENDED)

    @app.exception_handler(NothingToRetry)
    def nothing_to_retry(_request: Request, error: NothingToRetry) -> Response:
        return problem(409, error.code)

    @app.exception_handler(TooManyRequests)
    def too_many(_request: Request, error: TooManyRequests) -> Response:
        detail = f"Too many requests from this address. Try again in {error.retry_after} s."
        headers = {"Retry-After": str(error.retry_after)}
        return problem(429, ProblemCode.TOO_MANY_REQUESTS, detail=detail, headers=headers)

    @app.exception_handler(OperatorsOnly)
    def operators_only(_request: Request, _error: OperatorsOnly) -> Response:
        return problem(403, ProblemCode.NO_OPERATOR)

    @app.exception_handler(TokenRefused)
    def token_refused(_request: Request, _error: TokenRefused) -> Response:
        return problem(401, ProblemCode.OPERATORS_ONLY, headers=_BEARER)

    @app.exception_handler(LogUnavailable)
    @app.exception_handler(ReadModelUnavailable)
    def unavailable(_request: Request, _error: Exception) -> Response:
        return problem(503, ProblemCode.UNAVAILABLE, headers={"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    def of_the_framework(_request: Request, error: HTTPException) -> Response:
        code = OF_A_STATUS.get(error.status_code, ProblemCode.OTHER)
        return problem(error.status_code, code, headers=error.headers)

    @app.exception_handler(Exception)
    def unexpected(_request: Request, error: Exception) -> Response:
        log.error("api.failed", exc_info=error)
        return problem(500, ProblemCode.INTERNAL, headers=SECURITY)  # outside of the middleware
