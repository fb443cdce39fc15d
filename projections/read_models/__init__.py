"""How does the city's service look figures up without folding the log anew?

SQL tables that cache the folds' rows and state. They are never a source: deleted, they are rebuilt from the log.
"""
