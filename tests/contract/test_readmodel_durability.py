"""A process that is killed has lost no insert that was acknowledged, and leaves no file behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.contract.jobs import new_job

CHILD = [sys.executable, "-m", "tests.contract.readmodel_child"]


def test_kill_9_loses_no_acknowledged_insert_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    job, temporary, acknowledged = new_job(), tmp_path / "tmp", 0
    temporary.mkdir()
    for stop_after in (17, 40):
        child = subprocess.Popen(
            [*CHILD, "write", tmp_path / "clickhouse", job],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(temporary)},
        )
        assert child.stdout is not None
        for said, line in enumerate(child.stdout, 1):
            acknowledged = int(line)
            if said == stop_after:
                child.kill()
        child.wait()

    told = json.loads(subprocess.check_output([*CHILD, "count", tmp_path / "clickhouse", job]))

    assert told["uids"][:acknowledged] == list(range(1, acknowledged + 1))
    assert acknowledged >= 57
    assert list(temporary.iterdir()) == []


def test_another_retention_changes_the_expiry_of_every_table(tmp_path: Path) -> None:
    seen: list[dict[str, set[str]]] = []
    opened = subprocess.check_output([*CHILD, "expire", tmp_path / "clickhouse", "7", "30", "3"])
    for engines in json.loads(opened):
        expiry = {name: set(re.findall(r"toIntervalDay\((\d+)\)", engine)) for name, engine in engines.items()}
        assert expiry.pop("migrations") == set()
        seen.append({"tombstones": expiry.pop("tombstones"), "others": set().union(*expiry.values())})

    assert seen == [
        {"tombstones": {"8"}, "others": {"7"}},
        {"tombstones": {"31"}, "others": {"30"}},
        {"tombstones": {"8"}, "others": {"3"}},
    ]
