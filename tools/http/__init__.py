"""How a vendor's HTTP API is called: keys, retries, rate limits, secrets and errors."""
