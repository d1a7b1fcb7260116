"""`python -m blog.cli`: the same as `blog`."""

from blog.cli import main

if __name__ == "__main__":  # processes that render in parallel import this module under another name
    main()
