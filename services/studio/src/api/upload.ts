// A file on its way to the gateway. By XMLHttpRequest, for `fetch` does not tell how much has been sent.
import type { DatasetVersion } from "./client";
import { ApiProblem, problemOf } from "./problem";
import { identity, renew } from "./session";

export interface Sending {
  name: string;
  file: File;
  format: string | null;
  /** `field:column,...` */
  map: string | null;
}

export interface Sent {
  version: DatasetVersion;
  /** False: a version with these very rows was there already. */
  isNew: boolean;
}

type Progress = (sentBytes: number) => void;

/** Rejects with an ApiProblem, or with an AbortError once `signal` is aborted; nothing is kept of the file then. */
export async function sendFile(sending: Sending, signal: AbortSignal, onProgress: Progress): Promise<Sent> {
  const first = identity();
  try {
    return await attempt(sending, first, signal, onProgress);
  } catch (error) {
    if (!(error instanceof ApiProblem && error.status === 401 && (await renew(first.authorization)))) throw error;
    return attempt(sending, identity(), signal, onProgress);
  }
}

function attempt(
  sending: Sending,
  headers: Record<string, string>,
  signal: AbortSignal,
  onProgress: Progress,
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", addressOf(sending));
    request.responseType = "json";
    request.setRequestHeader("content-type", "application/octet-stream");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      const { status, response } = request;
      if (status >= 200 && status < 300) resolve({ version: response as DatasetVersion, isNew: status === 201 });
      else reject(problemOf(status, response));
    };
    request.onerror = () => reject(new ApiProblem(0, null, "unreachable"));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    if (signal.aborted) reject(new DOMException("", "AbortError"));
    else request.send(sending.file);
  });
}

function addressOf({ name, file, format, map }: Sending): string {
  const query = new URLSearchParams({ filename: file.name });
  if (format) query.set("format", format);
  if (map) query.set("map", map);
  return `/api/datasets/${encodeURIComponent(name)}/content?${query}`;
}
