"""Which tables follow from the entries alone? Pure folds: standard library, msgspec and the catalogue.

An auditor's replay and the city's read models call the same functions, so their figures can be compared.
"""
