-- What is good to know about a job, as a kind with its values; NULL: its text is all there is.

ALTER TABLE warnings ADD COLUMN IF NOT EXISTS notice Nullable(String);
ALTER TABLE notices ADD COLUMN IF NOT EXISTS notice Nullable(String);
