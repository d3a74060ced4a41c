"""Decides over all states of an opening's row, with an SMT solver, what a world can only try out."""

from tools.rls.proof.symbolic.decision import Symbolic, decide

__all__ = ["Symbolic", "decide"]
