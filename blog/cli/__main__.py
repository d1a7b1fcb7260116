"""`python -m blog.cli`: the same as `blog`."""

from blog.cli import main

main()
