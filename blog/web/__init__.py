"""What every blueprint shares: guards, security headers, error pages."""
