"""People: registry, access, summaries, HTTP, web pages."""
