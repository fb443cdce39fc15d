"""The doors of the service: HTTP for agencies, static paths for verifiers, pages for citizens.

Step "api" of the way of one event: cap, strict parse, who are you, may you. Everything else is decided behind
the ports (`ports.py`).
"""
