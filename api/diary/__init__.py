"""What the wearer reports: cramps felt, what was taken or done, contexts, laboratory values, reviews of episodes."""
