"""Tests of the terminal: its parts alone, and all of it through a pty."""
