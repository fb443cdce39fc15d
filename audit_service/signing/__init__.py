"""Step 4 of the way of one event: compare-and-swap in the sign-state journal; now a signed checkpoint exists."""
