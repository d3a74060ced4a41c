"""From what was observed of a service to the causes of its trouble: one reading, pure causes, one ranking."""
