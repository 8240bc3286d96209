"""Takes jobs from the queue until it is stopped."""

from __future__ import annotations

import os

from redis import Redis
from rq import Worker

connection = Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost"))
Worker(["default"], connection=connection).work()
