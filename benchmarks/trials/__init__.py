"""What the articles found, done again, and simulated cohorts whose truth is known: `python -m benchmarks.trials`."""
