"""Signing in with accounts at other services, by OAuth's authorization code with PKCE."""
