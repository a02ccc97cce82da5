"""Repositories, commits, refs and xorbs; every model gets its history, a commit and a tag for each version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kargah.domain.ids import new_id
from registry.repos.objects import commit_sha
from registry.repos.values import Entry

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_AUTHOR = "kargah"
_PIPELINES = {"causal_lm": "text-generation", "classifier": "text-classification"}


def upgrade() -> None:
    op.create_table(
        "repositories",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False, server_default=sa.text("false")),
        _set_at_insert("created_at"),
        sa.UniqueConstraint("kind", "name", name="repositories_name"),
    )
    _create_commits()
    _create_refs()
    _create_xorbs()
    for model in op.get_bind().execute(sa.text("SELECT id, name, created_at FROM models ORDER BY id")).all():
        _write_history(model)


def downgrade() -> None:
    for table in ("xorb_places", "xorbs", "refs", "commit_files", "commits", "repositories"):
        op.drop_table(table)


def _create_commits() -> None:
    owner = sa.ForeignKey("repositories.id", ondelete="CASCADE")
    op.create_table(
        "commits",
        sa.Column("repository_id", sa.Text, owner, primary_key=True),
        sa.Column("sha", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("meta", JSONB, nullable=False),
        _set_at_insert("created_at"),
    )
    op.create_index("commits_by_parent", "commits", ["repository_id", "parent"])
    op.create_table(
        "commit_files",
        sa.Column("repository_id", sa.Text, primary_key=True),
        sa.Column("sha", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("git_sha1", sa.Text),
        _to_commit("commit_files_of"),
    )
    op.create_index("commit_files_by_blob", "commit_files", ["sha256"])


def _create_refs() -> None:
    op.create_table(
        "refs",
        sa.Column("repository_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sha", sa.Text, nullable=False),
        _to_commit("refs_to"),
    )


def _create_xorbs() -> None:
    op.create_table(
        "xorbs",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("ends", sa.LargeBinary, nullable=False),
        sa.Column("sizes", sa.LargeBinary, nullable=False),
        _set_at_insert("created_at"),
    )
    op.create_table(
        "xorb_places",
        sa.Column("hash", sa.Text, sa.ForeignKey("xorbs.hash", ondelete="CASCADE"), primary_key=True),
        sa.Column("first", sa.Integer, primary_key=True),
        sa.Column("last", sa.Integer, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
    )
    op.create_index("xorb_places_by_blob", "xorb_places", ["sha256"])


def _write_history(model: Any) -> None:
    """The content is in the object store, out of reach: every file counts as an LFS file here."""
    repository = new_id("repo")
    values = {"id": repository, "name": model.name, "at": model.created_at}
    _run("INSERT INTO repositories (id, kind, name, created_at) VALUES (:id, 'models', :name, :at)", values)
    head = _commit(repository, None, {}, "initial commit", "", model.created_at, {})
    query = "SELECT id, number, facts, source, created_at FROM versions WHERE model_id = :id ORDER BY number"
    for version in _run(query, {"id": model.id}).all():
        files = _run("SELECT path, sha256, size_bytes FROM version_files WHERE version_id = :id", {"id": version.id})
        tree = {row.path: Entry(row.sha256, row.size_bytes) for row in files}
        title = f"Version {version.number}"
        head = _commit(repository, head, tree, title, version.source, version.created_at, _meta(version.facts))
        _point(repository, "tag", f"v{version.number}", head)
    _point(repository, "branch", "main", head)


def _commit(
    repository: str, parent: str | None, tree: dict[str, Entry], title: str, description: str, at: datetime, meta: Any
) -> str:
    at = at.replace(microsecond=0)
    sha = commit_sha(tree, parent, _AUTHOR, at, f"{title}\n\n{description}" if description else title)
    values = {"repository": repository, "sha": sha, "parent": parent, "title": title, "description": description}
    statement = sa.text(
        "INSERT INTO commits (repository_id, sha, parent, title, description, author, meta, created_at) "
        "VALUES (:repository, :sha, :parent, :title, :description, :author, :meta, :at)"
    ).bindparams(sa.bindparam("meta", type_=JSONB))
    op.get_bind().execute(statement, {**values, "author": _AUTHOR, "meta": meta, "at": at})
    for path, entry in tree.items():
        _run(
            "INSERT INTO commit_files (repository_id, sha, path, sha256, size_bytes) "
            "VALUES (:repository, :sha, :path, :sha256, :size)",
            {"repository": repository, "sha": sha, "path": path, "sha256": entry.sha256, "size": entry.size_bytes},
        )
    return sha


def _meta(facts: dict[str, Any]) -> dict[str, Any]:
    library = "peft" if facts.get("kind") == "adapter" else "transformers"
    pipeline = _PIPELINES.get(str(facts.get("kind")))
    tags = [tag for tag in (library, pipeline, facts.get("model_type"), "safetensors") if tag]
    return {"library_name": library, "pipeline_tag": pipeline, "tags": tags, "cardData": {}}


def _point(repository: str, kind: str, name: str, sha: str) -> None:
    _run(
        "INSERT INTO refs (repository_id, kind, name, sha) VALUES (:repository, :kind, :name, :sha)",
        {"repository": repository, "kind": kind, "name": name, "sha": sha},
    )


def _run(statement: str, values: dict[str, Any]) -> Any:
    return op.get_bind().execute(sa.text(statement), values)


def _to_commit(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["repository_id", "sha"], ["commits.repository_id", "commits.sha"], name=name, ondelete="CASCADE"
    )


def _set_at_insert(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
