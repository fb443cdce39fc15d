"""Step 3 of the way of one event: one transaction for event rows, leaf hashes and head."""
