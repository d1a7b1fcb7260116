"""`blog why`: the whole story of one person and one issue."""

from dataclasses import asdict

import click

from blog.cli.opening import json_option, open_services, print_json
from blog.digests import why as story
from blog.digests.why import Answer


@click.command("why")
@click.argument("email")
@click.argument("issue", type=int)
@json_option
def why(email: str, issue: int, as_json: bool) -> None:
    """Say why EMAIL got ISSUE, or why not, with everything that happened on the way."""
    services = open_services()
    with services.database.reading() as session:
        answer = story.why(session, services.tokens, email, issue)
    if as_json:
        print_json({"email": email, **asdict(answer)})
    else:
        click.echo(told(email, answer))


def told(email: str, answer: Answer) -> str:
    """Return the answer as a person reads it."""
    lines = [f"Did {email} get issue {answer.issue}, {answer.title}?", "", answer.verdict, ""]
    for moment in answer.timeline:
        lines.append(f"  {moment.at:%Y-%m-%d %H:%M:%S}  {moment.what}")
        if moment.words and moment.words != "by hand":
            lines.append(f"{'':<23}the relay's words: {moment.words}")
    lines += ["", "Times are UTC."]
    if answer.articles:
        lines.append("It held: " + ", ".join(f"“{title}”" for title in answer.articles) + ".")
    if answer.message_id:
        lines.append(f"In the relay's log it is {answer.message_id}.")
    return "\n".join(lines)
