-- What a message was delivered without, apart from what the server said: flags, keywords, INTERNALDATE.

ALTER TABLE failures ADD COLUMN IF NOT EXISTS left_out Array(String);
