// The rows of a version as a file to keep.
import { fetchFile, saveFile } from "../lib/files";
import { type DatasetVersion, identified } from "./client";
import { problemOf } from "./problem";
import { identity } from "./session";

/** Where nobody must log in the browser fetches it itself, as a stream. Else it is fetched here, for a link cannot say
 * who asks. */
export async function saveContent({ dataset, version }: DatasetVersion): Promise<void> {
  const address = `/api/datasets/${encodeURIComponent(dataset)}/content?version=${version}`;
  const name = `${dataset.replace("/", "-")}-${version}.jsonl`;
  if (Object.keys(identity()).length === 0) return fetchFile(address, name);
  const answer = await identified(new Request(address));
  if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => null));
  saveFile(name, "application/jsonl", await answer.blob());
}
