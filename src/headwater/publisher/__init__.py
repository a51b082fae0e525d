"""A writer for code that is not asynchronous: Django, Flask, Celery, cron jobs, scripts.

Rule 1: standard library only, and no asyncio: it is imported where nothing else of Headwater is.
Rule 2: every record has a number. A request whose answer is lost is sent again, and written once.

publisher      `Publisher`: what applications call
outbox         what waits, in order, within bounds
producer       producer ids and the numbers of records
delivery       the thread that sends, and tries again
connection     one HTTP connection, and what its answers mean
errors         what can go wrong
"""

from headwater.publisher.errors import GaveUp, OutboxFull, PublishError, Refused
from headwater.publisher.publisher import Publisher

__all__ = ["GaveUp", "OutboxFull", "PublishError", "Publisher", "Refused"]
