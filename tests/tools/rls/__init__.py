"""Tests of the RLS reviewer."""
