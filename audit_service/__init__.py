"""The city's side of the ledger: what may be written, how it is recorded, signed and published.

`catalogue/` and `rules/` are also the auditor's: they import neither a database nor a web framework.
"""
