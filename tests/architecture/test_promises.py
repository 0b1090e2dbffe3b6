"""Each promise to the people who use Mailtide names the test that keeps it."""

import ast
import re
from functools import cache

import pytest

from tests.architecture.tree import ROOT

PROMISES = ROOT / "docs" / "promises.md"
NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


def promised() -> list[tuple[str, str]]:
    return NAMED.findall(PROMISES.read_text()) if PROMISES.exists() else []


@cache
def names_in(file: str) -> set[str]:
    path = ROOT / file
    if not path.exists():
        return set()
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_there_are_promises() -> None:
    assert promised()


@pytest.mark.parametrize(("file", "test"), promised())
def test_a_promise_names_a_test_that_exists(file: str, test: str) -> None:
    assert test in names_in(file)


def test_a_promise_without_a_test_is_found_out() -> None:
    """Every item of the list ends with the name of a test."""
    items = re.split(r"^[-*] ", PROMISES.read_text(), flags=re.MULTILINE)[1:]

    assert [item.splitlines()[0] for item in items if not NAMED.search(item)] == []
