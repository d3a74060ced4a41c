"""What changed in who can do what between two snapshots, and in which direction."""
