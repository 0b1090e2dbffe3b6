"""The dashboard as `make dashboard` built it, held in memory: a name that is not in it leads nowhere."""

import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "dashboard" / "dist"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    media_type: str
    content: bytes
    gzipped: bytes


@dataclass(frozen=True, slots=True)
class Built:
    page: str | None  # None: it was not built
    files: dict[str, File]  # by path below the root, "assets/Job-1f2e3d.js"


@cache
def built(directory: Path = DIRECTORY) -> Built:
    page = directory / "index.html"
    paths = [path for path in directory.rglob("*") if path.suffix in TYPES]
    return Built(
        page=page.read_text() if page.exists() else None,
        files={str(path.relative_to(directory)): _file(path) for path in paths},
    )


def _file(path: Path) -> File:
    content = path.read_bytes()
    return File(f"{TYPES[path.suffix]}; charset=utf-8", content, gzip.compress(content, mtime=0))
