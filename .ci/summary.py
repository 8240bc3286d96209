"""Adds up the last lines of pytest runs: ``N passed, N failed`` and what else there was."""

from __future__ import annotations

import re
import sys
from collections import Counter

counts: Counter[str] = Counter(passed=0, failed=0)
for line in sys.stdin:
    if re.search(r" in \d+(\.\d+)?s", line):
        for number, what in re.findall(r"(\d+) (passed|failed|skipped|errors?|xfailed)", line):
            counts[what.removesuffix("s") if what == "errors" else what] += int(number)
print(", ".join(f"{number} {what}" for what, number in counts.items()))
sys.exit(counts["failed"] + counts["error"] > 0 or counts["passed"] == 0)
