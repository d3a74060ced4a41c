"""Who may do what to which relation, effective: privileges, row level security, views, ownership."""
