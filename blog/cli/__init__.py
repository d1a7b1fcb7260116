"""The command line: `blog`, one file a noun, each command thin: parse, open a transaction, call, print."""

import gc
import importlib
import os
import sys

import click

from blog import trouble
from blog.errors import BlogError

#: Which module holds a command; it is imported when the command is asked for, so that each starts quickly.
COMMANDS = {
    "articles": "articles:articles",
    "bounces": "bounces:group",
    "backup": "backup:backup",
    "check": "check:check",
    "db": "database:group",
    "demo": "demo:demo",
    "digest": "digest:group",
    "doctor": "doctor:doctor",
    "export": "export:export",
    "new": "new:new",
    "preview": "preview:preview",
    "related": "articles:related",
    "restore": "backup:restore",
    "serve": "serve:serve",
    "subscribers": "subscribers:group",
    "sync": "articles:sync_command",
    "why": "why:why",
    "worker": "worker:worker",
}

#: What `blog --help` says of each, by who asks: to ask the commands themselves, all would be imported.
SUMMARIES = {
    "To try it": {
        "demo": "Run the whole product on this machine.",
    },
    "To write": {
        "new": "Begin an article: a draft in the content folder.",
        "preview": "Show the site while you write; each save is seen at once.",
        "check": "Find mistakes: links, anchors, dates, texts for images.",
        "related": "Show what is related to an article, and why.",
    },
    "To publish": {
        "sync": "Publish what is in the content folder.",
        "articles": "Look at what is published.",
        "serve": "Serve the site; TLS is for a proxy in front of it.",
        "export": "Write the site as files, for nginx, Caddy or a CDN.",
    },
    "To mail": {
        "digest": "Plan issues, send them, and follow them.",
        "worker": "Send mail and keep the schedules: a process of its own.",
        "subscribers": "Look at readers, import, export or erase them.",
        "bounces": "Take in mail that came back.",
        "why": "Say why somebody got an issue, or why not.",
    },
    "To look after it": {
        "db": "Upgrade the database, or move it to another.",
        "backup": "Write everything that is no article into one file.",
        "restore": "Prove a backup, and bring it back.",
        "doctor": "Examine machine, database, relay and sending domain.",
    },
}


class Commands(click.Group):
    """The group of all commands, each imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        widest = max(map(len, COMMANDS))
        for who, summaries in SUMMARIES.items():
            with formatter.section(who):
                formatter.write_dl([(name.ljust(widest), text) for name, text in summaries.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        gc.disable()  # nothing that is loaded now becomes garbage, and looking for some is a tenth of a start
        command: click.Command = getattr(importlib.import_module(f"blog.cli.{module}"), name)
        gc.freeze()
        gc.enable()
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="blog", message="%(prog)s %(version)s", prog_name="blog")
def cli() -> None:
    """Publish Markdown as a fast, quiet site, and mail it to the people who asked for it.

    Settings come from the environment (BLOG_…) or from blog.toml; see docs/settings.md.
    """


def main() -> None:
    """Run the command line; every error is one clear line (or one a mistake) on standard error."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"blog: {error.format_message()}", err=True)
        sys.exit(2)
    except BlogError as error:
        click.echo("\n".join(f"blog: {line}" for line in str(error).split("\n")), err=True)
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        if os.environ.get("BLOG_TRACEBACK"):
            raise
        click.echo(f"blog: {trouble.in_words(error)}", err=True)
        sys.exit(1)
