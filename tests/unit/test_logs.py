"""Log lines are JSON and hold no value that a library or an exception brought along."""

import json
import subprocess
import sys

import pytest

SECRET = "hunter2-hunter2"


def lines(code: str) -> list[dict[str, object]]:
    """What a process writes that runs this after the logging was set up."""
    program = (
        f"import logging, sys, structlog\nfrom libs.runtime import logs\nlogs.configure()\nSECRET = {SECRET!r}\n{code}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    assert SECRET not in done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_is_one_json_object_with_time_and_level():
    [line] = lines("structlog.get_logger('services.copier').info('copied', job_id='j1', items=3)")

    assert (line["event"], line["level"], line["job_id"], line["items"]) == ("copied", "info", "j1", 3)
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.parametrize(
    "call",
    [
        "structlog.get_logger().exception('failed')",
        "structlog.get_logger().error('failed', exc_info=error)",
        "logging.getLogger('faust').exception('failed')",
        "logging.getLogger('faust').error('failed', exc_info=error)",
    ],
)
def test_of_an_exception_its_classes_and_places_are_written_and_not_its_text(call):
    code = f"""
try:
    try:
        raise KeyError(SECRET)
    except KeyError as cause:
        raise ValueError('login as ' + SECRET) from cause
except ValueError as error:
    {call}
"""
    [line] = lines(code)

    assert line["failure"] == "ValueError from KeyError"
    assert line["at"] == ["<string>:10 <module>"]


def test_of_a_librarys_line_the_values_are_left_out():
    [line] = lines("logging.getLogger('aiokafka').warning('lost %s: %r', SECRET, OSError(SECRET))")

    assert (line["event"], line["errors"], line["logger"]) == ("lost %s: %r", ["OSError"], "aiokafka")


def test_libraries_are_heard_from_warnings_on():
    found = lines(
        "logging.getLogger('httpx2').info('GET ' + SECRET)\n"
        "logging.getLogger('uvicorn.access').info(SECRET)\n"
        "structlog.get_logger().debug('detail')\n"
        "structlog.get_logger().info('ready')"
    )

    assert [line["event"] for line in found] == ["ready"]
