"""Render: services, deploys, logs, metrics and what they cost."""
