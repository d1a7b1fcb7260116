"""The WSGI entry point: `granian --interface wsgi wsgi:app`."""

from blog import create_app

app = create_app()
