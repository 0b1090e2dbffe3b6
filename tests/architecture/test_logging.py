"""What is logged is said in the code: `libs/runtime/logs.py` shows nothing else."""

import ast
import re

import pytest

from libs.runtime import logs
from tests.architecture.tree import ROOT, files

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
MODULES = [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ("libs", "services")]
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")  # a noun, and what happened to it
NUMBERS = {"events", "offset"}
KNOWN = {*logs.IDS, *logs.WORDS, *logs.CLASSES, *NUMBERS, "exc_info"}


@pytest.mark.parametrize("tier", ["libs", "services"])
def test_a_line_has_a_name_like_all_others_and_fields_that_are_shown(tier: str) -> None:
    wrong: list[str] = []
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] != tier:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=level)) if level in LEVELS:
                    names = [str(each.value) if isinstance(each, ast.Constant) else "" for each in node.args]
                    named = len(names) == 1 and EVENT.fullmatch(names[0])
                    if not named or {keyword.arg for keyword in node.keywords} - KNOWN:
                        wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
                case _:
                    pass

    assert wrong == []
