"""The site as static files, for a web server that knows nothing of Python."""
