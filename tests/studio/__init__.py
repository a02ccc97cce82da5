"""The Studio in a real browser, in front of a real stack."""
