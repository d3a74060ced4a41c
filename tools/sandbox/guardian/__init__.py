"""Guardian v7: the demonstration platform, its schema and its synthetic people."""

from __future__ import annotations

from tools.sandbox.guardian.build import apply_schema, build_guardian, content_key, schema_files
from tools.sandbox.guardian.generate import Population, Scale, populate

__all__ = ["Population", "Scale", "apply_schema", "build_guardian", "content_key", "populate", "schema_files"]
