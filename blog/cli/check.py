"""`blog check`: what should be mended before the next sync, all of it in one run, without a database."""

import os
from pathlib import Path
from typing import Any

import click

from blog import clock
from blog.cli.opening import json_option, print_json
from blog.cli.progress import bar
from blog.content import problems as problem_lines
from blog.content.checks.report import Report
from blog.content.checks.report import check as checked
from blog.content.checks.schema import schema
from blog.content.values import Problem
from blog.errors import UsageError
from blog.settings import load_settings


@click.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@json_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="How to print what was found; github makes annotations in a workflow's log.",
)
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of the header instead.")
@click.pass_context
def check(context: click.Context, folder: Path | None, as_json: bool, form: str, as_schema: bool) -> None:
    """Check the content folder (or FOLDER): links, anchors, images, topics, authors and headers.

    Exits with 1 when something is to be mended. Notices, such as a key nobody knows, do not count.
    """
    if as_schema:
        print_json(schema())
        return
    if as_json and form == "github":
        raise click.UsageError("choose one of --json and --format github")
    content_dir, cache_dir = _folders(folder)
    with bar("Rendering") as progress:
        report = checked(content_dir, clock.now(), cache_dir, progress)
    if as_json or form == "json":
        print_json(_plain(report))
    elif form == "github":
        _annotate(report, content_dir)
    else:
        _print(report)
    context.exit(1 if report.problems else 0)


def _folders(folder: Path | None) -> tuple[Path, Path | None]:
    """Return the folder to check, and where its renderings are kept when it is the site's own."""
    if folder:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}")
        return folder, None
    settings = load_settings()
    if not settings.content_dir.is_dir():
        raise UsageError(f"BLOG_CONTENT_DIR: there is no folder {settings.content_dir}")
    return settings.content_dir, settings.var_dir / "cache"


def _print(report: Report) -> None:
    for problem in report.problems:
        click.echo(problem_lines.line(problem))
    for notice in report.notices:
        click.echo(f"notice: {problem_lines.line(notice)}")
    click.echo(
        f"{_counted(report.articles, 'article')} and {_counted(report.pages, 'page')} checked: "
        f"{_counted(len(report.problems), 'problem')}, {_counted(len(report.notices), 'notice')}."
    )


def _plain(report: Report) -> dict[str, Any]:
    return {
        "articles": report.articles,
        "pages": report.pages,
        "problems": [problem.plain() for problem in report.problems],
        "notices": [notice.plain() for notice in report.notices],
    }


def _annotate(report: Report, content_dir: Path) -> None:
    for level, found in (("error", report.problems), ("notice", report.notices)):
        for problem in found:
            click.echo(_annotation(level, problem, content_dir))


def _annotation(level: str, problem: Problem, content_dir: Path) -> str:
    """Return one workflow command; its file is counted from the folder the command runs in."""
    path = os.path.relpath(content_dir / problem.file)
    place = f"file={_escaped(path, ':,')},line={problem.line or 1}"
    message = f"{problem.message} — {problem.hint}" if problem.hint else problem.message
    return f"::{level} {place}::{_escaped(message)}"


def _escaped(text: str, also: str = "") -> str:
    for char in f"%\r\n{also}":  # the percent sign first
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
