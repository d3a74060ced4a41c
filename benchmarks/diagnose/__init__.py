"""How often diagnose_service names the right cause, on incidents whose cause is known."""
