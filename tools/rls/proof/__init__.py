"""The prover: who may see what (model), a world that shows it (world), attacks on it, and the verdict."""
