-- How a destination folder is made, and which mail of a folder of all mail lies elsewhere.

ALTER TABLE folders ADD COLUMN IF NOT EXISTS special_use String DEFAULT '';
ALTER TABLE folders ADD COLUMN IF NOT EXISTS subscribe Bool DEFAULT false;
ALTER TABLE folders ADD COLUMN IF NOT EXISTS less_wires Array(String) DEFAULT [];
