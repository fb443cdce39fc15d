"""The one command `audit`: what anybody runs to check the ledger, and what the city runs to keep it.

`main.py` knows the subcommands; each lives in one module, which is imported only when it is asked for, so
that checking a log needs nothing of the city's server.
"""
