"""Each rule of the copy protocol has a test that bears its number."""

import re

import pytest

from tests.architecture.tree import ROOT

RULES = range(1, 21)


def borne() -> set[int]:
    tests = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return {int(number) for text in tests for number in re.findall(r"^def test_rule_(\d+)_", text, re.MULTILINE)}


@pytest.mark.parametrize("number", RULES)
def test_a_rule_has_a_test_that_bears_its_number(number: int) -> None:
    assert number in borne()


def test_a_test_bears_the_number_of_a_rule_that_there_is() -> None:
    assert borne() <= set(RULES)
