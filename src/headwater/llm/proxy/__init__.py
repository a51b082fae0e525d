"""A proxy before a model's provider: transparent, and with a run's id, resumable."""
