"""render.yaml: read with its line numbers, checked against Render's field reference, made into facts.

`tree` parses the text, `fields` holds the field reference, `checker` compares the two, `file` gives what the
file declares.
"""
