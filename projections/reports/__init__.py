"""What does the city bind itself to, and how does anybody recompute it?

Folds give rows (`projections.folds`); here rows become reports. In this order: `definitions` (which reports there
are), `rows` (the bytes of a row), `stream_heads` (one more table, of every stream), `state` (all that is kept about a
log), `tables` (the rows of every report, kept up to date), `publishing` (the root goes into the log), `found` (the
reports that a log holds). Nothing here knows a database or a server: an auditor's replay runs the same code.
"""
