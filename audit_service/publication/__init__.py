"""Step 5 of the way of one event: tiles and bundles first, the checkpoint last, as static files."""
