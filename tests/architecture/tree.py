"""The files of the project as they stand on disk, without what is generated."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
GENERATED = {"__pycache__", "node_modules", "data", "dist", "build"}


def files() -> Iterator[Path]:
    """Paths below the root. Hidden directories are left out, but for `.ci`."""
    waiting = [ROOT]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.name in GENERATED or (path.name.startswith(".") and path.name not in (".ci", ".gitignore")):
                continue
            if path.is_dir():
                waiting.append(path)
            else:
                yield path
