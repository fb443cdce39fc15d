"""The pages: what the ledger says, for people. Server-rendered; works without scripts; Korean first."""
