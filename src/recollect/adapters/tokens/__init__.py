"""Tokens of identity providers: JWTs."""
