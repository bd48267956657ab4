"""One page for each trial: what came out, how sure that is, and how it was come by."""

from api.report.render import Registered, render, style_hash, waiting_page

__all__ = ["Registered", "render", "style_hash", "waiting_page"]
