"""Speed, side by side with what a reader knows. Each file measures one ratio; `python -m benchmarks` runs all."""
