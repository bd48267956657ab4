"""What was set aside and why: to be looked at, sent on its way once more, or dropped."""
