"""Write the generated agent file anew: `python -m tests.claude.refresh` from the repository's root."""

from __future__ import annotations

import prompts
from tests.claude.test_agent_file import AGENT, TOOL_NAMES

if __name__ == "__main__":
    AGENT.write_text(prompts.agent_file(TOOL_NAMES), encoding="utf-8")
