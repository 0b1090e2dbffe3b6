"""Projects: default limits and schedule of the jobs that name them. For the operator."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from libs.contracts.jobs import JobOptions, Limits
from services.api.access import Operator
from services.api.deps import Dependencies, Deps
from services.api.errors import NoSuchProject

router = APIRouter(prefix="/api/projects", tags=["projects"], dependencies=[Operator])


ProjectName = Annotated[str, Path(min_length=1, max_length=100)]


class Project(BaseModel):
    name: str
    limits: Limits


@router.get("")
def projects(deps: Dependencies) -> list[Project]:
    return [Project(name=name, limits=limits) for name, limits in deps.projects.projects().items()]


@router.put("/{name}")
def put_project(name: ProjectName, limits: Limits, deps: Dependencies) -> Project:
    """For jobs requested from now on: each takes what it does not give itself."""
    deps.projects.put_project(name, limits, deps.now())
    return Project(name=name, limits=limits)


@router.delete("/{name}", status_code=204)
def remove_project(name: ProjectName, deps: Dependencies) -> None:
    """Jobs that were requested keep the limits they took from it."""
    if name not in deps.projects.projects():
        raise NoSuchProject
    deps.projects.remove_project(name, deps.now())


def with_defaults(options: JobOptions, project: str | None, deps: Deps) -> JobOptions:
    """The options with the project's limits where the request gave none."""
    limits = deps.projects.projects().get(project) if project is not None else None
    if limits is None:
        return options
    own = options.model_fields_set
    return options.model_copy(update={name: value for name, value in limits if name not in own})
