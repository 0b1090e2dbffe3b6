"""What is wrong has a code, which pages say in their own language."""

import pytest
from pydantic import BaseModel, ValidationError

from libs.contracts.jobs import JobForm
from services.api.problems import DETAILS, FieldCode, ProblemCode, of_pydantic
from services.api.retry import RetryForm

ACCOUNT = {"host": "a.example", "username": "anna", "password": "secret"}
FORM = {"source": ACCOUNT, "destination": ACCOUNT}
WINDOW = {"days": ["mon"], "from": "08:00", "to": "18:00", "mbps": 0}
ALWAYS = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "00:00", "mbps": 0}


def account(**changes: object) -> dict[str, object]:
    return FORM | {"source": ACCOUNT | changes}


def options(**given: object) -> dict[str, object]:
    return FORM | {"options": given}


@pytest.mark.parametrize(
    ("form", "field", "code", "limit"),
    [
        ({"source": ACCOUNT}, "destination", FieldCode.MISSING, None),
        (FORM | {"colour": "blue"}, "colour", FieldCode.UNKNOWN_FIELD, None),
        (FORM | {"name": "x" * 201}, "name", FieldCode.TOO_LONG, 200),
        (FORM | {"project": "x" * 101}, "project", FieldCode.TOO_LONG, 100),
        (account(host="a b"), "source.host", FieldCode.MALFORMED, None),
        (account(host="x" * 254), "source.host", FieldCode.TOO_LONG, 253),
        (account(host=""), "source.host", FieldCode.TOO_SHORT, 1),
        (account(port=65_536), "source.port", FieldCode.TOO_GREAT, 65_535),
        (account(port=0), "source.port", FieldCode.TOO_SMALL, 1),
        (account(port="imap"), "source.port", FieldCode.NOT_A_WHOLE_NUMBER, None),
        (account(security="ssl"), "source.security", FieldCode.NOT_ONE_OF, None),
        (account(username="x" * 513), "source.username", FieldCode.TOO_LONG, 512),
        (account(password=None), "source", FieldCode.ONE_WAY_TO_LOG_IN, None),
        (options(notify_email="anna"), "options.notify_email", FieldCode.MALFORMED, None),
        (options(since="yesterday"), "options.since", FieldCode.NOT_A_DATE, None),
        (options(before="+020266-01-01"), "options.before", FieldCode.NOT_A_DATE, None),
        (options(max_item_bytes=0), "options.max_item_bytes", FieldCode.TOO_SMALL, 1),
        (options(max_item_bytes=1.5), "options.max_item_bytes", FieldCode.NOT_A_WHOLE_NUMBER, None),
        (options(max_item_bytes=1e40), "options.max_item_bytes", FieldCode.NOT_A_WHOLE_NUMBER, None),
        (options(bandwidth_limit_mbps=0), "options.bandwidth_limit_mbps", FieldCode.NOT_ABOVE, 0),
        (options(bandwidth_limit_mbps=1e6), "options.bandwidth_limit_mbps", FieldCode.TOO_GREAT, 100_000),
        (options(bandwidth_limit_mbps="fast"), "options.bandwidth_limit_mbps", FieldCode.NOT_A_NUMBER, None),
        (options(include=["x"] * 1001), "options.include", FieldCode.TOO_MANY, 1000),
        (options(include=["x" * 1001]), "options.include.0", FieldCode.TOO_LONG, 1000),
        (options(schedule=[WINDOW] * 29), "options.schedule", FieldCode.TOO_MANY, 28),
        (options(schedule=[WINDOW | {"days": []}]), "options.schedule.0.days", FieldCode.TOO_FEW, 1),
        (options(schedule=[ALWAYS]), "options.schedule", FieldCode.NEVER_OPEN, None),
        (options(timezone="Mars/Olympus"), "options.timezone", FieldCode.NO_SUCH_TIME_ZONE, None),
        (options(include="x"), "options.include", FieldCode.INVALID, None),
    ],
)
def test_what_does_not_fit_has_a_code_and_the_number_it_is_about(
    form: dict[str, object], field: str, code: FieldCode, limit: int | None
) -> None:
    (error,) = errors(JobForm, form)

    assert (error.field, error.code, error.limit) == (field, code, limit)
    assert error.message


def test_the_address_for_the_mail_of_a_retry_is_told_likewise() -> None:
    (error,) = errors(RetryForm, {"notify_email": "anna"})

    assert (error.field, error.code) == ("notify_email", FieldCode.MALFORMED)


def test_every_problem_has_a_sentence_but_those_that_bring_their_own() -> None:
    own = {ProblemCode.INVALID, ProblemCode.OTHER_CONTENT, ProblemCode.TOO_MANY_REQUESTS, ProblemCode.OTHER}

    assert set(ProblemCode) - DETAILS.keys() == own


def errors(model: type[BaseModel], form: dict[str, object]):
    with pytest.raises(ValidationError) as raised:
        model.model_validate(form)
    return [of_pydantic(each) for each in raised.value.errors()]
