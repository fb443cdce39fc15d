"""A stand-in for `curl` where there is none: the options that README.md uses, and no others.

A machine with Python and make alone has no curl; where there is one, the tests use it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import urllib3

FAILED = 22  # curl's own exit code for an answer of 400 or above under --fail


def main() -> int:
    """Make one request; returns curl's exit code."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("url")
    parser.add_argument("--silent", action="store_true", required=True)
    parser.add_argument("--fail", action="store_true", required=True)
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--data-binary")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()

    headers = dict(header.split(": ", 1) for header in args.header)
    body = Path(args.data_binary.removeprefix("@")).read_bytes() if args.data_binary else None
    answer = urllib3.request("POST" if body else "GET", args.url, body=body, headers=headers, retries=False)
    if answer.status >= 400:
        return FAILED
    if args.output:
        args.output.write_bytes(answer.data)
    else:
        sys.stdout.buffer.write(answer.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
