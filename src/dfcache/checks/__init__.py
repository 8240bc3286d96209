"""One module a rule: how it is found, and what would mend it."""
