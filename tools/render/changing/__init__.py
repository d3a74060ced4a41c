"""Changes to what runs: each is planned from the state that was read, sent as it was shown, and looked at."""
