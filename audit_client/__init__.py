"""Step 0 of the way of one event: what an agency runs, with nothing of the city's server.

`signing` signs and approves, `sealing` makes a sealed batch of service transactions, `service` speaks HTTP,
`receipts` checks what comes back against a pinned key and keeps it, `submitting` does one after the other.
"""
