"""Designing row level security from tables and a model of who may see what, and proving the design."""
