"""Every figure the project claims, as one command, with a peer or a limit in the same run."""
