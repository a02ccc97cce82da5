"""What runs in the clients' process: a line of JSON asks for a function of this module, a line answers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    hf_hub_download,
    snapshot_download,
)

api = HfApi()


def whoami() -> str:
    return str(api.whoami()["name"])


def snapshot(repo_id: str, **options: Any) -> dict[str, str]:
    """The contents of a snapshot, as latin-1, by path."""
    folder = Path(snapshot_download(repo_id, **options))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes().decode("latin-1") for path in files}


def download(repo_id: str, filename: str, **options: Any) -> str:
    return Path(hf_hub_download(repo_id, filename, **options)).read_bytes().decode("latin-1")


def exists(repo_id: str, filename: str | None = None, **options: Any) -> bool:
    return api.file_exists(repo_id, filename, **options) if filename else api.repo_exists(repo_id, **options)


def revision_exists(repo_id: str, revision: str) -> bool:
    return api.revision_exists(repo_id, revision)


def names(**options: Any) -> list[str]:
    return [model.id for model in api.list_models(**options)]


def dataset_names(**options: Any) -> list[str]:
    return [dataset.id for dataset in api.list_datasets(**options)]


def info(repo_id: str, **options: Any) -> dict[str, Any]:
    found = api.repo_info(repo_id, **options)
    wanted = ("id", "sha", "private", "tags", "pipeline_tag", "library_name", "author")
    said = {name: getattr(found, name, None) for name in wanted}
    siblings = {one.rfilename: [one.size, one.lfs.sha256 if one.lfs else one.blob_id] for one in found.siblings or []}
    return {**said, "siblings": siblings, "card": found.card_data.to_dict() if found.card_data else None}


def files(repo_id: str, **options: Any) -> list[str]:
    return sorted(api.list_repo_files(repo_id, **options))


def tree(repo_id: str, **options: Any) -> list[str]:
    return [type(entry).__name__ + " " + entry.path for entry in api.list_repo_tree(repo_id, **options)]


def paths_info(repo_id: str, paths: list[str], **options: Any) -> list[str]:
    return [type(entry).__name__ + " " + entry.path for entry in api.get_paths_info(repo_id, paths, **options)]


def refs(repo_id: str, **options: Any) -> dict[str, dict[str, str]]:
    found = api.list_repo_refs(repo_id, **options)
    kinds = {"branches": found.branches, "tags": found.tags}
    return {kind: {ref.name: ref.target_commit for ref in refs} for kind, refs in kinds.items()}


def commits(repo_id: str, **options: Any) -> list[str]:
    return [commit.title for commit in api.list_repo_commits(repo_id, **options)]


def generate(repo_id: str, adapter: str | None = None, **options: Any) -> list[int]:
    """What a model says to a fixed question: token ids, which no other weights would give."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(repo_id, **options)
    model = AutoModelForCausalLM.from_pretrained(repo_id, **options)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    asked = torch.tensor([tokenizer("سلام دنیا")["input_ids"]])
    with torch.no_grad():
        said: list[int] = model.generate(input_ids=asked, max_new_tokens=8, do_sample=False)[0].tolist()
    return said


def create(repo_id: str, **options: Any) -> str:
    return api.create_repo(repo_id, **options).repo_id


def delete(repo_id: str, **options: Any) -> None:
    api.delete_repo(repo_id, **options)


def move(from_id: str, to_id: str, **options: Any) -> None:
    api.move_repo(from_id, to_id, **options)


def settings(repo_id: str, **options: Any) -> None:
    api.update_repo_settings(repo_id, **options)


def upload(repo_id: str, path: str, content: str | None = None, file: str | None = None, **options: Any) -> str:
    """Upload a text, or a file of this machine."""
    given: bytes | str = content.encode() if content is not None else str(file)
    return api.upload_file(path_or_fileobj=given, path_in_repo=path, repo_id=repo_id, **options).oid


def upload_stream(repo_id: str, path: str, file: str) -> str:
    """From an open file: even with Xet this goes the way of LFS."""
    with Path(file).open("rb") as stream:
        return api.upload_file(path_or_fileobj=stream, path_in_repo=path, repo_id=repo_id).oid


def upload_folder(repo_id: str, folder: str, **options: Any) -> str:
    return api.upload_folder(repo_id=repo_id, folder_path=folder, **options).oid


def commit(
    repo_id: str,
    add: dict[str, str] | None = None,
    remove: list[str] | None = None,
    copy: dict[str, str] | None = None,
    **options: Any,
) -> str:
    """A commit of texts by path, of deletions (folders end with a slash) and of copies."""
    operations: list[Any] = [CommitOperationDelete(path) for path in remove or []]
    operations += [CommitOperationAdd(path, text.encode()) for path, text in (add or {}).items()]
    operations += [CommitOperationCopy(source, target) for source, target in (copy or {}).items()]
    return api.create_commit(repo_id, operations, commit_message="a commit", **options).oid


def delete_file(repo_id: str, path: str) -> None:
    api.delete_file(path, repo_id)


def delete_folder(repo_id: str, path: str) -> None:
    api.delete_folder(path, repo_id)


def create_branch(repo_id: str, branch: str, **options: Any) -> None:
    api.create_branch(repo_id, branch=branch, **options)


def delete_branch(repo_id: str, branch: str) -> None:
    api.delete_branch(repo_id, branch=branch)


def create_tag(repo_id: str, tag: str, **options: Any) -> None:
    api.create_tag(repo_id, tag=tag, **options)


def delete_tag(repo_id: str, tag: str) -> None:
    api.delete_tag(repo_id, tag=tag)


def push_model(folder: str, repo_id: str) -> None:
    """Model and tokenizer by transformers' own `push_to_hub`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(folder).push_to_hub(repo_id)
    AutoTokenizer.from_pretrained(folder).push_to_hub(repo_id)


def push_adapter(base: str, repo_id: str) -> None:
    """A LoRA upon a model of the Hub, trained for three steps, pushed by peft's own `push_to_hub`."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    tokens = torch.arange(3, 35).reshape(2, 16)
    for _ in range(3):
        model(input_ids=tokens, labels=tokens).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.push_to_hub(repo_id)


def push_dataset(repo_id: str, rows: list[dict[str, Any]]) -> None:
    from datasets import Dataset

    Dataset.from_list(rows).push_to_hub(repo_id)


def load(repo_id: str, streaming: bool = False, **options: Any) -> list[dict[str, Any]]:
    from datasets import load_dataset

    return [dict(row) for row in load_dataset(repo_id, split="train", streaming=streaming, **options)]


def load_all(repo_id: str, **options: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows of each split."""
    from datasets import load_dataset

    return {name: [dict(row) for row in rows] for name, rows in load_dataset(repo_id, **options).items()}


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the clients print must not come between
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            answer = {"value": globals()[function](**arguments)}
        except Exception as error:  # the edge of this process: it goes to the test that asked
            answer = {"error": type(error).__name__, "message": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
