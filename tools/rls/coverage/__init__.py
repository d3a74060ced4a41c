"""Which policies a test run exercises: counted by PostgreSQL itself while the tests run."""
