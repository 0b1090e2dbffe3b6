"""The language the parts speak: ids, accounts, jobs, commands, events, topics, codec. No I/O."""
