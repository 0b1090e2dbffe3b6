"""RFC 9457 problems: what is wrong as a code, for pages that say it in their own language, and in English.

A problem never repeats what was sent: that may be a password.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from libs.contracts.reasons import WHAT_TO_DO, Reason


class ProblemCode(StrEnum):
    NOT_JSON = "not_json"
    INVALID = "invalid"  # `errors` say what of it
    NOTHING_HERE = "nothing_here"
    NO_SUCH_AGENT = "no_such_agent"
    NO_SUCH_PROJECT = "no_such_project"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    NO_OPERATOR = "no_operator"  # no operator token is configured
    OPERATORS_ONLY = "operators_only"
    AGENTS_ONLY = "agents_only"
    OTHER_CONTENT = "other_content"
    JOB_ENDED = "job_ended"
    JOB_OF_AN_AGENT = "job_of_an_agent"
    BEING_CANCELLED = "being_cancelled"
    TRIED_TOO_OFTEN = "tried_too_often"
    NOTHING_FAILED = "nothing_failed"
    NOTHING_FAILED_YET = "nothing_failed_yet"
    TOO_MANY_REQUESTS = "too_many_requests"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"
    OTHER = "other"


class FieldCode(StrEnum):
    """What is wrong with one field; `limit` is the number that some of them are about."""

    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    TOO_LONG = "too_long"  # more characters than `limit`
    TOO_SHORT = "too_short"
    TOO_MANY = "too_many"  # more entries than `limit`
    TOO_FEW = "too_few"
    NOT_ABOVE = "not_above"  # not greater than `limit`
    TOO_SMALL = "too_small"  # less than `limit`
    TOO_GREAT = "too_great"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_WHOLE_NUMBER = "not_a_whole_number"
    NOT_A_DATE = "not_a_date"
    NOT_ONE_OF = "not_one_of"
    MALFORMED = "malformed"
    ONE_WAY_TO_LOG_IN = "one_way_to_log_in"
    NO_SUCH_TIME_ZONE = "no_such_time_zone"
    NEVER_OPEN = "never_open"
    SAME_ACCOUNT = "same_account"
    OTHER_ACCOUNT = "other_account"
    ACCOUNT_NEEDED = "account_needed"
    CANNOT_MAIL = "cannot_mail"
    ONLY_OWNERS_MAILED = "only_owners_mailed"
    GIVEN_TWICE = "given_twice"
    OTHER_CONTENT = "other_content"
    INVALID = "invalid"  # in another way, which the message says


class FieldError(BaseModel):
    field: str  # "source.host"
    message: str
    code: FieldCode
    limit: float | None


class Problem(BaseModel):
    """RFC 9457; `type` is always "about:blank", so `title` is the phrase of the status, and `code` says which it is."""

    type: str
    title: str
    status: int
    detail: str
    code: ProblemCode
    errors: list[FieldError]


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
OF_A_STATUS = {
    400: ProblemCode.NOT_JSON,
    404: ProblemCode.NOTHING_HERE,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.TOO_LARGE,
}
DETAILS = {
    ProblemCode.NOT_JSON: "The body is not JSON.",
    ProblemCode.NOTHING_HERE: "There is nothing here (any more).",
    ProblemCode.NO_SUCH_AGENT: "There is no such agent (any more).",
    ProblemCode.NO_SUCH_PROJECT: "There is no such project (any more).",
    ProblemCode.METHOD_NOT_ALLOWED: "This address does not take this method.",
    ProblemCode.TOO_LARGE: "The body is too large.",
    ProblemCode.NO_OPERATOR: "This needs an operator token, and none is configured (MAILTIDE_OPERATOR_TOKEN).",
    ProblemCode.OPERATORS_ONLY: "This needs the operator's bearer token.",
    ProblemCode.AGENTS_ONLY: "This needs an agent's bearer token.",
    ProblemCode.JOB_ENDED: "The job has ended, or is being cancelled.",
    ProblemCode.JOB_OF_AN_AGENT: "An agent's job can't be tried again. Make a new job for the agent.",
    ProblemCode.BEING_CANCELLED: "It is being cancelled. It can be tried again when it has stopped.",
    ProblemCode.TRIED_TOO_OFTEN: "This migration was tried again too often. Start a new one.",
    ProblemCode.NOTHING_FAILED: "Nothing has failed: there is nothing to try again.",
    ProblemCode.NOTHING_FAILED_YET: "It is still going on, and nothing has failed so far.",
    ProblemCode.UNAVAILABLE: "Mailtide can't do this right now. Try again in a moment.",
    ProblemCode.INTERNAL: "Something went wrong inside Mailtide.",
}
MESSAGES = {
    FieldCode.SAME_ACCOUNT: WHAT_TO_DO[Reason.SAME_ACCOUNT],
    FieldCode.OTHER_ACCOUNT: "This is another account. Give the one this migration began with.",
    FieldCode.ACCOUNT_NEEDED: "Give this account again: its credentials are no longer held.",
    FieldCode.CANNOT_MAIL: "This Mailtide can't send mail. Leave the address out.",
    FieldCode.ONLY_OWNERS_MAILED: "Only who has the job's own address can be mailed it. Leave this out.",
    FieldCode.GIVEN_TWICE: "The same type is given twice.",
    FieldCode.TOO_MANY: "These are too many. At most {limit:g} are taken.",
    FieldCode.OTHER_CONTENT: (
        "Another report has this batch_id. A repeat must be the same; what is new needs a new batch_id."
    ),
}
_BY_TYPE = {  # of pydantic's errors; those of Mailtide's own checks are named as their codes
    "missing": FieldCode.MISSING,
    "extra_forbidden": FieldCode.UNKNOWN_FIELD,
    "string_too_long": FieldCode.TOO_LONG,
    "string_too_short": FieldCode.TOO_SHORT,
    "too_long": FieldCode.TOO_MANY,
    "too_short": FieldCode.TOO_FEW,
    "greater_than": FieldCode.NOT_ABOVE,
    "greater_than_equal": FieldCode.TOO_SMALL,
    "less_than_equal": FieldCode.TOO_GREAT,
    "float_parsing": FieldCode.NOT_A_NUMBER,
    "float_type": FieldCode.NOT_A_NUMBER,
    "int_parsing": FieldCode.NOT_A_WHOLE_NUMBER,
    "int_parsing_size": FieldCode.NOT_A_WHOLE_NUMBER,
    "int_type": FieldCode.NOT_A_WHOLE_NUMBER,
    "int_from_float": FieldCode.NOT_A_WHOLE_NUMBER,
    "date_parsing": FieldCode.NOT_A_DATE,
    "date_from_datetime_parsing": FieldCode.NOT_A_DATE,
    "date_from_datetime_inexact": FieldCode.NOT_A_DATE,
    "date_type": FieldCode.NOT_A_DATE,
    "string_pattern_mismatch": FieldCode.MALFORMED,
    "literal_error": FieldCode.NOT_ONE_OF,
    "enum": FieldCode.NOT_ONE_OF,
}
_OWN = {code.value: code for code in FieldCode}
_LIMITS = ("max_length", "min_length", "gt", "ge", "le")


def _responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {
        str(status): {
            "description": TITLES[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


RESPONSES = _responses(400, 404, 405, 409, 413, 422, 429, 503)
OF_OPERATORS = _responses(401, 403)  # besides these
OF_AGENTS = _responses(401)


def schemas() -> dict[str, object]:
    """What `RESPONSES` refers to, for the OpenAPI document."""
    _, found = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    return found["$defs"]


def problem(
    status: int,
    code: ProblemCode,
    *,
    detail: str | None = None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`detail`: instead of the one that the code has."""
    title = TITLES.get(status, "Error")
    body = Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=detail or DETAILS.get(code, title),
        code=code,
        errors=list(errors),
    )
    return Response(body.model_dump_json(), status_code=status, media_type="application/problem+json", headers=headers)


def about(field: str, code: FieldCode, limit: int | None = None) -> FieldError:
    return FieldError(field=field, message=MESSAGES[code].format(limit=limit), code=code, limit=limit)


def of_pydantic(error: Mapping[str, Any]) -> FieldError:
    """Of one of the errors of a ValidationError."""
    kind, context = error["type"], error.get("ctx", {})
    limits = [context[name] for name in _LIMITS if isinstance(context.get(name), int | float)]
    return FieldError(
        field=_field(error["loc"]),
        message=_message(error["msg"]),
        code=_BY_TYPE.get(kind) or _OWN.get(kind, FieldCode.INVALID),
        limit=next(iter(limits), None),
    )


def _field(location: Sequence[str | int]) -> str:
    names = [str(part) for part in location if part not in ("body", "query", "path", "header")]
    return ".".join(names)[:200] or "body"


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")[:1].upper() + text.removeprefix("Value error, ")[1:]
