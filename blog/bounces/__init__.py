"""What comes back: bounces and complaints, read, proven to be about a mail of ours, and acted on."""
