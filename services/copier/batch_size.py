"""How many messages one append takes: as many as the server stores without being silent for long.

Many matter in large folders, as a server with Maildir writes its list of UIDs anew after each append: 200,000 messages
took Dovecot 27 s in batches of 500 and 8 s in batches of 4,000. Few matter where the server is slow: for progress,
for cancellation, and so that no answer takes longer than a connection may be silent.
"""

FIRST_ITEMS = 500
MOST_ITEMS = 4_000
FEWEST_ITEMS = 50
QUICK_SECONDS, SLOW_SECONDS = 0.5, 2.0


class BatchSize:
    """Written by who appends, read by the reader."""

    def __init__(self) -> None:
        self.items = FIRST_ITEMS

    def took(self, items: int, seconds: float) -> None:
        if seconds > SLOW_SECONDS:
            self.items = max(FEWEST_ITEMS, min(self.items, items) // 2)
        elif seconds < QUICK_SECONDS and items >= self.items:
            self.items = min(MOST_ITEMS, self.items * 2)
