"""What every actor can do in a database, found out by doing it. No rule and no prover has a part in it."""
