"""What a run leaves to be read: by people, by CI, and by another run; no secret is in any of it."""
