"""Tests of tools/rls/diffing."""
