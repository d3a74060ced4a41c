"""What a Supabase project has before the first migration, rebuilt in a plain PostgreSQL database."""

from __future__ import annotations

from tools.sandbox.shim.shim import ShimReport, install_shim, read_report, shim_files

__all__ = ["ShimReport", "install_shim", "read_report", "shim_files"]
