"""Which reports did the city bind itself to? Streams `report/<kind>/<key>`.

A report is rows computed from the entries; its root stands here, so that nobody can be shown other rows.
`verifier.reports` reads the same payload without this catalogue.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from audit_service.catalogue.common import Count, Payload, PositiveCount, Sha256Hex

ReportKind = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}(?!\n)$")]
ReportKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?(?!\n)$")]


class ReportDefinition(Struct, forbid_unknown_fields=True, kw_only=True):
    """The published text by which rows are computed, by name, version and SHA-256."""

    name: ReportKind
    version: PositiveCount
    sha256: Sha256Hex


class ReportPublished(Payload, kw_only=True):
    """The city binds itself to the rows of one report, computed from the entries before `tree_size`.

    `rows_root` is the RFC 6962 root over the rows, each canonical JSON, sorted by key.
    """

    kind: ReportKind
    key: ReportKey
    tree_size: PositiveCount
    row_count: Count
    rows_root: Sha256Hex
    definition: ReportDefinition


TYPES: dict[str, type[Payload]] = {"report.published.v1": ReportPublished}
