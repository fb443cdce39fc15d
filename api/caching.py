"""How long may an answer be kept, and by whom?

What the log has signed never changes; what says how far the log reaches changes with every event.
"""

from __future__ import annotations

IMMUTABLE = "public, max-age=31536000, immutable"
NO_CACHE = "no-cache"
NO_STORE = "no-store"
