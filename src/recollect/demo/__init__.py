"""The conversation that the demo loads, and what it asks of it."""
