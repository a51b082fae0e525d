"""Clients that run in a page: an adapter for each browser, and what drives them; see ../README.md."""
