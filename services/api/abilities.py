"""What this Mailtide can do besides what its OpenAPI document says: it depends on how it is set up."""

from fastapi import APIRouter
from pydantic import BaseModel

from services.api.deps import Dependencies

router = APIRouter(prefix="/api/abilities", tags=["abilities"])


class Abilities(BaseModel):
    notify_email: bool  # it can send mail


@router.get("")
def abilities(deps: Dependencies) -> Abilities:
    return Abilities(notify_email=deps.recipients is not None)
