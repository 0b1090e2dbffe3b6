"""Log lines are JSON and hold no value that a library, an exception or a mail server brought along."""

import contextlib
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime import logs

SECRET = "hunter2-hunter2"
JOB = "j" + "0123456789abcdef01234567"


def lines(code: str) -> list[dict[str, object]]:
    """What a process writes that runs this after the logging was set up."""
    program = (
        "import logging, sys, threading, structlog\nfrom libs.runtime import logs\nlogs.configure()\n"
        f"SECRET = '-'.join({SECRET.split('-')!r})\n{code}"  # no constant: those may be shown
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert SECRET not in done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_is_one_json_object_with_time_and_level():
    [line] = lines(f"structlog.get_logger('services.copier').info('copied', job_id={JOB!r}, items=3)")

    assert (line["event"], line["level"], line["job_id"], line["items"]) == ("copied", "info", JOB, 3)
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

    assert line["event"] == "failed"
    assert line["failure"] == "ValueError from KeyError"
    assert len(line["at"]) == 1


def test_of_a_librarys_line_the_values_are_left_out():
    [line] = lines("logging.getLogger('aiokafka').warning('lost %s: %r', SECRET, OSError(SECRET))")

    assert (line["event"], line["errors"], line["logger"]) == ("lost %s: %r", ["OSError"], "aiokafka")


def test_a_text_that_a_library_put_together_is_left_out():
    [line] = lines("logging.getLogger('asyncio').error(f'never retrieved: {OSError(SECRET)!r}')")

    assert (line["event"], line["logger"]) == (logs.NOT_SHOWN, "asyncio")


def test_what_a_task_died_of_is_told_by_its_class():
    code = """
import asyncio, gc
async def main():
    async def fail():
        raise ValueError(SECRET)
    task = asyncio.create_task(fail(), name=SECRET)
    await asyncio.wait([task])
    del task
    gc.collect()
asyncio.run(main())
"""
    [line] = lines(code)

    assert (line["failure"], line["logger"]) == ("ValueError", "asyncio")


@pytest.mark.parametrize(
    ("last", "event"),
    [
        ("raise ValueError(SECRET)", "process.uncaught"),
        ("threading.Thread(target=lambda: int(SECRET)).start()", "process.thread_failed"),
        ("class Bad:\n    def __del__(self): raise ValueError(SECRET)\nbad = Bad(); del bad", "process.unraisable"),
    ],
)
def test_the_last_words_of_a_process_or_a_thread_are_a_line_like_any_other(last, event):
    [line] = lines(last)

    assert (line["event"], line["failure"]) == (event, "ValueError")


def test_libraries_are_heard_from_warnings_on():
    found = lines(
        "logging.getLogger('httpx2').info('GET ' + SECRET)\n"
        "logging.getLogger('uvicorn.access').info(SECRET)\n"
        "structlog.get_logger().debug('detail')\n"
        "structlog.get_logger().info('ready')"
    )

    assert [line["event"] for line in found] == ["ready"]


def test_what_helps_to_find_the_cause_is_shown():
    known = {
        "job_id": JOB, "folder_id": "17", "plan_id": "0" * 28, "worker": "copier-0a1b2c3d",
        "topic": "mailtide.work-items", "type": "mailtide.CopyFolder.v1", "check": "clickhouse",
        "error": "ReadModelUnavailable", "failure": "TimeoutError", "offset": 12, "seconds": 0.5, "ready": False,
    }  # fmt: skip
    from libs.readmodel.port import ReadModelUnavailable

    assert ReadModelUnavailable
    with written() as text:
        structlog.get_logger().warning("known", **known)

    assert {name: json.loads(text.getvalue())[name] for name in known} == known


# ---- nothing that came from outside, wherever it is put

FIELDS = [*logs.IDS, *logs.WORDS, *logs.CLASSES, "errors", "at", "level", "host", "user", "password", "folder", "text"]
HOST = st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9-]{1,20}){1,3}\.(com|org|example|internal)", fullmatch=True)
HOSTILE = st.one_of(
    HOST,
    st.tuples(st.from_regex(r"[A-Za-z0-9._+-]{1,30}", fullmatch=True), HOST).map("@".join),
    st.from_regex(r"(INBOX|Archiv|Privé|家族|Ärzte)[./\\ ][\w \"%{}]{4,30}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9!§$%&/()=?{}\\\"'-]{8,40}", fullmatch=True),  # passwords
    st.sampled_from(
        ["%(asctime)s %s", "{event}", '\n{"level": "info"}', "j" + "x" * 24, "Login", "Passw0rd", "kitten"]
    ).map(lambda text: text + " \u202eof Anna"),
).filter(lambda text: len(text) >= 8)


@contextlib.contextmanager
def written() -> Iterator[io.StringIO]:
    """What is logged inside, in this process, whose logging is as before afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, sys.unraisablehook, logs.threading.excepthook)
    logs.configure()
    text = io.StringIO()
    root.handlers[0].setStream(text)
    try:
        yield text
    finally:
        root.handlers[:], root.level, sys.excepthook, sys.unraisablehook, logs.threading.excepthook = before
        logging.captureWarnings(False)
        structlog.reset_defaults()


@pytest.fixture(scope="module")
def log_text() -> Iterator[io.StringIO]:
    with written() as text:
        yield text


@given(
    hostile=HOSTILE,
    field=st.sampled_from(FIELDS),
    shape=st.sampled_from([str, lambda t: [t], lambda t: {"k": t}, str.encode]),
)
def test_no_value_from_outside_comes_out_of_any_field(log_text, hostile, field, shape):
    structlog.get_logger().warning("a field", **{field: shape(hostile)})
    assert_nothing_of(hostile, log_text)


@given(hostile=HOSTILE)
def test_no_value_from_outside_comes_out_of_a_message(log_text, hostile):
    structlog.get_logger().warning(f"login of {hostile} refused")
    structlog.get_logger().warning(hostile)
    logging.getLogger("library").warning(f"can't reach {hostile}", stack_info=True)
    logging.getLogger("library").warning("can't reach %s", hostile, extra={"host": hostile})
    logging.getLogger("library").error(ValueError(hostile))
    assert_nothing_of(hostile, log_text)


@given(hostile=HOSTILE)
def test_no_value_from_outside_comes_out_of_an_exception(log_text, hostile):
    try:
        try:
            raise KeyError(hostile)
        except KeyError:
            raise OSError(5, hostile, hostile)  # noqa: B904 - the context is told too
    except OSError as error:
        error.add_note(hostile)
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed with %s", error)
        sys.excepthook(type(error), error, error.__traceback__)
    assert_nothing_of(hostile, log_text)


def assert_nothing_of(hostile: str, log_text: io.StringIO) -> None:
    found = log_text.getvalue()
    log_text.seek(0)
    log_text.truncate()
    assert found
    for line in found.splitlines():
        shown = json.loads(line)
        assert not {"host", "k"} & set(map(str, shown)) or shown.get("host") in ("str", "list", "dict", "bytes")
        assert hostile not in json.dumps(shown, ensure_ascii=False)
        assert hostile not in str(list(shown.values()))
