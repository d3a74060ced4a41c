"""How a review looks: text for a terminal, JSON, SARIF 2.1.0, Markdown, and one self-contained HTML page."""
