"""Condition coverage (MC/DC): which atomic condition decided an outcome, as true and as false."""

from tools.rls.proof.coverage.report import Variant, measure, summary, wanted

__all__ = ["Variant", "measure", "summary", "wanted"]
