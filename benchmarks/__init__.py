"""Figures, run by hand: `make bench`. Each module prints one table of medians side by side."""
