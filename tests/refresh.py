"""`python -m tests.refresh`: write the generated texts anew. Read the diff before you commit it."""

from __future__ import annotations

from tests.documents import documents

if __name__ == "__main__":
    for document in documents():
        document.path.parent.mkdir(parents=True, exist_ok=True)
        document.path.write_text(document.text, encoding="utf-8")
