"""Row level security: a snapshot of who may do what, and the rules that read it."""

from __future__ import annotations

from typing import Final

from tools.registry import Tool
from tools.rls.access_matrix import access_matrix
from tools.rls.design_rls import design_rls
from tools.rls.diff_access import diff_access
from tools.rls.explain_access import explain_access
from tools.rls.propose_fixes import propose_fixes
from tools.rls.prove_isolation import prove_isolation
from tools.rls.review import review_rls
from tools.rls.rewrite_policies import rewrite_policies
from tools.rls.show_access_model import show_access_model

TOOLS: Final[tuple[Tool, ...]] = (
    review_rls,
    prove_isolation,
    access_matrix,
    diff_access,
    explain_access,
    show_access_model,
    design_rls,
    propose_fixes,
    rewrite_policies,
)
