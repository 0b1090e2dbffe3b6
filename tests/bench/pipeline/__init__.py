"""What progress events cost between the broker and the browser: `python -m tests.bench.pipeline [PART …]`."""
