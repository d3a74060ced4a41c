"""Condition coverage (MC/DC): which atomic condition decided an outcome, as true and as false."""

from tools.rls.proof.coverage.report import Coverage, Variant, examine, measure, summary

__all__ = ["Coverage", "Variant", "examine", "measure", "summary"]
