"""What becomes of HTML in a text: shown as it is written, cleaned, or left as it is."""

ESCAPE, SANITIZE, TRUST = "escape", "sanitize", "trust"
MODES = (ESCAPE, SANITIZE, TRUST)
