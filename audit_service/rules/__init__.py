"""Step 2 of the way of one event: may it happen? Every rule of every stream, pure.

`decide.decide(world, event)` accepts an event or raises `errors.RuleBroken`; `decide.evolve(world, event,
undo)` then changes the state and cannot fail. The city's aggregates and an auditor's replay call the same
functions. Nothing here reads a clock, a database or bytes: what concerns bytes (hashes, signatures) is in
`verifier`.
"""
