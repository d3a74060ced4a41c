"""Why a caller may, or may not, see or change one row."""
