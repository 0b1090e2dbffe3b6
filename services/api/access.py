"""Who may do what with a job: its key everything, its view key reading, its id nothing without the operator."""

import hmac
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from libs.contracts.ids import JobId, key_hash
from services.api.deps import Dependencies, Deps
from services.api.errors import NoSuchJob, OperatorsOnly, TokenRefused

MAX_KEY = 100  # characters; what is longer is no key of ours


@dataclass(frozen=True, slots=True)
class Access:
    job_id: JobId
    owner: bool


def may_operate(request: Request, deps: Deps) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if deps.operator_token is None or scheme.casefold() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), deps.operator_token.encode())


def operator(request: Request, deps: Dependencies) -> None:
    """
    Raises:
        OperatorsOnly: no token is configured.
        TokenRefused: none was sent, or another.
    """
    if deps.operator_token is None:
        raise OperatorsOnly
    if not may_operate(request, deps):
        raise TokenRefused


def reader(
    key: Annotated[str, Path(description="`key`, or `view_key`")], request: Request, deps: Dependencies
) -> Access:
    """
    Raises:
        NoSuchJob: this opens nothing.
    """
    if not 0 < len(key) <= MAX_KEY or not key.isascii():
        raise NoSuchJob
    found = deps.views.find(key_hash(key))
    if found is not None:
        job_id, opened_by = found
        return Access(job_id, owner=opened_by == "key")
    if may_operate(request, deps) and JobId(key) in deps.views.views([JobId(key)], deps.now()):
        return Access(JobId(key), owner=True)
    raise NoSuchJob


def owner(access: Annotated[Access, Depends(reader)]) -> Access:
    if not access.owner:
        raise NoSuchJob
    return access


Reader = Annotated[Access, Depends(reader)]
Owner = Annotated[Access, Depends(owner)]
Operator = Depends(operator)
