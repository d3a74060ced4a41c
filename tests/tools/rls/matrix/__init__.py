"""Tests of tools/rls/matrix."""
