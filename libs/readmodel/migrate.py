"""The schema: numbered SQL files, each applied once and recorded, and the retention that is configured."""

import re
from datetime import UTC, datetime
from importlib import resources

from libs.readmodel.database import Database, stamp

RECORD = """
CREATE TABLE IF NOT EXISTS migrations (number UInt32, name String, applied_at DateTime64(6, 'UTC'))
ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""
APPLIED = "SELECT number FROM migrations"
ENGINES = (
    "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND position(engine_full, ' TTL ')"
)
TOMBSTONES = "tombstones"


def migrate(database: Database, retention_days: int) -> None:
    """Bring the schema to its newest state. Killed on the way, it goes on at the next start."""
    database.execute(RECORD)
    applied = {row["number"] for row in database.rows(APPLIED)}
    files = sorted(resources.files("libs.readmodel").joinpath("migrations").iterdir(), key=lambda file: file.name)
    for file in files:
        number = int(file.name.partition("_")[0])
        if number in applied:
            continue
        for statement in _statements(file.read_text(encoding="utf-8")):
            database.execute(statement)
        applied_at = stamp(datetime.now(UTC))
        database.insert("migrations", [{"number": number, "name": file.name, "applied_at": applied_at}])
    _keep_for(database, retention_days)


def _statements(sql: str) -> list[str]:
    lines = [line for line in sql.splitlines() if not line.lstrip().startswith("--")]
    return [statement for part in "\n".join(lines).split(";\n") if (statement := part.strip().rstrip(";"))]


def _keep_for(database: Database, days: int) -> None:
    """A tombstone outlives by a day whatever a late writer could have written."""
    for row in database.rows(ENGINES):
        table, wanted = row["name"], max(8, days + 1) if row["name"] == TOMBSTONES else days
        kept = re.search(r"toIntervalDay\((\d+)\)", row["engine_full"])
        if kept is None or int(kept[1]) != wanted:
            database.execute(f"ALTER TABLE {table} MODIFY TTL toDateTime(updated_at) + INTERVAL {wanted:d} DAY")
