"""Migrations are read: none takes away what the release before still uses, none holds a table for long.

Expand, then contract: a column or table goes in the release after the last one whose code used it
(docs/decisions/0007-expand-then-contract.md). What looks dangerous and is not is argued for in `REVIEWED`.
"""

import ast
from pathlib import Path

import pytest

from blog.settings import ROOT

VERSIONS = sorted((ROOT / "migrations" / "versions").glob("[0-9]*_*.py"))

#: The reviewed list: what a migration does to tables that older code is using, and why that is harmless.
REVIEWED = {
    ("0001", "execute"): "triggers on a table that is made in the same migration",
    ("0002", "execute"): "an index, and triggers, on a table that is made in the same migration",
    ("0002", "create_index articles"): "a few thousand rows at most, which only a sync writes",
    ("0004", "several tables: issues, mailings"): "from before this rule",
    ("0005", "several tables: editions, issues, plan_groups"): "from before this rule",
    ("0005", "batch_alter_table plan_groups"): "rows live for seconds, no table points at them",
    (
        "0005",
        "drop_constraint plan_groups",
    ): "the key is widened; the code of before inserts without a conflict",
    ("0005", "create_primary_key plan_groups"): "the same",
    (
        "0014",
        "execute ALTER TABLE search_texts ALTER body SET STORAGE EXTERNAL, ALTER pairs SET STORAGE EXTERNAL",
    ): "only says how later values are stored; no row is read or written",
    ("0014", "execute ALTER TABLE search_texts SET (toast_tuple_target = 4080)"): "the same",
    ("0016", "execute"): "triggers that write to a table made in the same migration, and what it begins with",
    (
        "0017",
        "execute ALTER TABLE search_texts ALTER keys SET STORAGE EXTERNAL",
    ): "only says how later values are stored; no row is read or written",
    ("0017", "execute ALTER TABLE search_texts SET (toast_tuple_target = 128)"): "the same",
}

TAKING = {"drop_table", "drop_column", "rename_table", "drop_constraint", "alter_column"}
CHECKING = {"create_foreign_key", "create_check_constraint", "create_unique_constraint", "create_primary_key"}


def findings(source: str) -> set[tuple[str, str]]:
    """Return what `upgrade()` does to tables that were there before it: (revision, what)."""
    tree = ast.parse(source)
    revision = next(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "revision"
        if isinstance(node.value, ast.Constant)
    )
    (body,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    made = {_text(call.args[0]) for call in _calls(body) if _name(call) == "create_table"}
    batches = _batches(body)
    found, touched = set(), set()
    for call in _calls(body):
        name, table = _name(call), _table(call, batches)
        if table not in made and name in TAKING | {"add_column", "batch_alter_table"}:
            touched.add(table)
        if table not in made and _is_dangerous(name, call, tree):
            found.add((str(revision), f"{name} {table}".strip()))
    if len(touched) > 1:  # whoever uses both in one transaction, in the other order, is in a deadlock with us
        found.add((str(revision), f"several tables: {', '.join(sorted(touched))}"))
    return found


def _is_dangerous(name: str, call: ast.Call, tree: ast.Module) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name == "add_column":
        column = next((c for c in ast.walk(call) if isinstance(c, ast.Call) and _name(c) == "Column"), None)
        own = {keyword.arg: keyword.value for keyword in column.keywords} if column else {}
        return bool(own) and _is_false(own.get("nullable")) and "server_default" not in own
    if name == "create_index":
        return bool(given.get("unique")) or _text(call.args[0]) not in _built_aside(tree)
    if name == "execute":
        words = ast.unparse(call).upper().replace("DROP INDEX", "")
        return not _text(call.args[0]) or any(
            word in words for word in ("DROP ", "RENAME ", "ALTER ", "UPDATE ", "DELETE ")
        )
    return name in TAKING | CHECKING | {"batch_alter_table"}


def _built_aside(tree: ast.Module) -> set[str]:
    """Return the indexes that PostgreSQL builds without holding the table; SQLite has one writer anyway."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        if "autocommit_block" in ast.unparse(node.items[0])
    ]
    calls = [call for block in blocks for call in _calls(block) if _name(call) == "create_index"]
    return {_text(call.args[0]) for call in calls if "postgresql_concurrently=True" in ast.unparse(call)}


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _calls(body: ast.AST) -> list[ast.Call]:
    return [
        node for node in ast.walk(body) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _batches(body: ast.AST) -> dict[str, str]:
    """Return which table each `with op.batch_alter_table("…") as name` is about."""
    found = {}
    for node in ast.walk(body):
        for item in node.items if isinstance(node, ast.With) else []:
            if isinstance(item.optional_vars, ast.Name) and isinstance(item.context_expr, ast.Call):
                found[item.optional_vars.id] = _text(item.context_expr.args[0])
    return found


def _table(call: ast.Call, batches: dict[str, str]) -> str:
    owner = (
        call.func.value.id
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
        else ""
    )
    if owner in batches:
        return batches[owner]
    place = 1 if _name(call) in CHECKING | {"create_index", "drop_constraint"} else 0
    return _text(call.args[place]) if len(call.args) > place else ""


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_every_migration_leaves_the_code_of_before_able_to_work() -> None:
    found = set().union(*(findings(path.read_text()) for path in VERSIONS))
    assert found - set(REVIEWED) == set(), "argue for it in REVIEWED, or do it in two releases"
    assert set(REVIEWED) - found == set(), "nobody does that any more"


def test_every_migration_goes_down_as_well() -> None:
    for path in VERSIONS:
        (body,) = [n for n in ast.parse(path.read_text()).body if getattr(n, "name", "") == "downgrade"]
        assert not isinstance(body.body[-1], ast.Pass), path.name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("op.drop_table('editions')", "drop_table editions"),
        ("op.drop_column('issues', 'note')", "drop_column issues"),
        ("op.rename_table('issues', 'digests')", "rename_table issues"),
        ("op.alter_column('issues', 'note', new_column_name='words')", "alter_column issues"),
        ("op.alter_column('issues', 'note', nullable=False)", "alter_column issues"),
        ("op.add_column('issues', sa.Column('x', sa.Integer(), nullable=False))", "add_column issues"),
        ("op.create_index('ix_x', 'issues', ['x'])", "create_index issues"),
        ("op.create_index('ix_x', 'issues', ['x'], postgresql_concurrently=True)", "create_index issues"),
        ("op.create_check_constraint('ck_x', 'issues', 'x > 0')", "create_check_constraint issues"),
        ("op.execute('ALTER TABLE issues RENAME note TO words')", "execute"),
        ("op.execute(SOMETHING)", "execute"),
        (
            "op.add_column('issues', sa.Column('x'))\n    op.add_column('plans', sa.Column('y'))",
            "several tables: issues, plans",
        ),
        ("with op.batch_alter_table('issues') as t:\n        t.drop_column('note')", "drop_column issues"),
    ],
)
def test_the_rule_sees_what_would_break_the_code_of_before(line: str, what: str) -> None:
    found = findings(f"revision = '0099'\n\n\ndef upgrade():\n    {line}\n")
    assert what in {name.removesuffix(" ALTER TABLE issues RENAME note TO words") for _, name in found}


@pytest.mark.parametrize(
    "line",
    [
        "op.add_column('issues', sa.Column('x', sa.Integer(), nullable=True))",
        "op.add_column('issues', sa.Column('x', sa.Integer(), server_default='0', nullable=False))",
        "op.create_table('new', sa.Column('x'))\n    op.create_index('ix_new', 'new', ['x'])",
        "with op.get_context().autocommit_block():\n"
        "        op.create_index('ix_x', 'issues', ['x'], postgresql_concurrently=True)\n"
        "    op.create_index('ix_x', 'issues', ['x'])",
    ],
)
def test_the_rule_lets_pass_what_older_code_does_not_notice(line: str) -> None:
    assert findings(f"revision = '0099'\n\n\ndef upgrade():\n    {line}\n") == set()


def test_the_reviewed_list_names_files_that_are_there() -> None:
    numbers = {path.name.partition("_")[0] for path in map(Path, VERSIONS)}
    assert {revision for revision, _ in REVIEWED} <= numbers
