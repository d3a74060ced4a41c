"""How much a review of row level security sees: faults that leak, planted one by one in correct schemas."""
