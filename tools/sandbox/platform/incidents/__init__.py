"""Seeded incidents, one kind per file."""
