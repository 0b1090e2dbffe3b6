"""What is logged is said in the code: `libs/runtime/logs.py` shows nothing else."""

import ast

import pytest

from libs.runtime import logs
from tests.architecture.tree import ROOT, files

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
MODULES = [path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ("libs", "services")]
NUMBERS = {"events", "offset"}
KNOWN = {*logs.IDS, *logs.WORDS, *logs.CLASSES, *NUMBERS, "exc_info"}


@pytest.mark.parametrize("tier", ["libs", "services"])
def test_a_line_has_a_constant_message_and_fields_that_are_shown(tier: str) -> None:
    wrong: list[str] = []
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] != tier:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=level)) if level in LEVELS:
                    constant = len(node.args) == 1 and isinstance(node.args[0], ast.Constant)
                    if not constant or {keyword.arg for keyword in node.keywords} - KNOWN:
                        wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
                case _:
                    pass

    assert wrong == []
