"""What every actor can do in a database, found out by doing it: the judge that no rule and no prover has a part in."""
