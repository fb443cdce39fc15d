"""Step 1 of the way of one event: which types of events there are, and what each one says.

One module per stream kind. A committed type never changes: a new meaning is a new `.v2`.
"""
