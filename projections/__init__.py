"""Step 4 of the way of one event: what the entries add up to, and how anybody recomputes it.

`folds/` and the replay are pure and need no database; the rest keeps read models of the same folds for the
service. This file imports nothing, so that an auditor's installation needs nothing of the server's.
"""
