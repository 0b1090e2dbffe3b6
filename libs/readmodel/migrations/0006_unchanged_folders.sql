-- How many messages the destination folder held when it was planned: see services/scanner/remembered.py.

ALTER TABLE plans ADD COLUMN IF NOT EXISTS destination_exists UInt64 DEFAULT 0;
