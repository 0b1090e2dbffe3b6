-- A job that is tried again has a new run; what is true of one run only says which.

ALTER TABLE requests ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;
ALTER TABLE desired ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;
ALTER TABLE admissions ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;
ALTER TABLE admissions ADD COLUMN IF NOT EXISTS bytes_before UInt64 DEFAULT 0;
ALTER TABLE scan_failures ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;
ALTER TABLE failures ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;
ALTER TABLE totals ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;
ALTER TABLE vault ADD COLUMN IF NOT EXISTS run UInt32 DEFAULT 1;

-- A new column of the key may have no default, so it gets it afterwards.
ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS run UInt32 AFTER job_id, MODIFY ORDER BY (job_id, run);
ALTER TABLE outcomes MODIFY COLUMN run DEFAULT 1;
