"""Model answers as runs: what they are stored as, how sources become it, and how readers are told."""
