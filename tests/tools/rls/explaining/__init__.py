"""Tests of tools/rls/explaining."""
