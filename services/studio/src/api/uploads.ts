// The uploads of this tab. They live here and not in a page, so that they go on when one looks at something else.
import { useSyncExternalStore } from "react";
import { nameOfFile } from "../lib/datasetNames";
import { type Mark, withMark } from "../lib/transfer";
import { type Sent, sendFile } from "./upload";

/** `checking`: all bytes are sent, and the service has not said yet what it makes of them. */
export type UploadState = "draft" | "sending" | "checking" | "done" | "failed";

export interface UploadItem {
  id: number;
  file: File;
  name: string;
  format: string | null;
  map: string | null;
  state: UploadState;
  marks: Mark[];
  sent: Sent | null;
  error: unknown;
}

let items: UploadItem[] = [];
let made = 0;
const listeners = new Set<() => void>();
const aborts = new Map<number, AbortController>();

function put(changed: UploadItem[]): void {
  const wasBusy = items.some(isBusy);
  items = changed;
  const busy = items.some(isBusy);
  if (busy && !wasBusy) window.addEventListener("beforeunload", askToStay);
  if (!busy && wasBusy) window.removeEventListener("beforeunload", askToStay);
  for (const tell of listeners) tell();
}

function askToStay(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

export function isBusy({ state }: UploadItem): boolean {
  return state === "sending" || state === "checking";
}

export function useUploads(): UploadItem[] {
  return useSyncExternalStore(subscribe, () => items);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Files that were chosen: drafts, to be named and begun. `name`: the dataset whose next version a single file is. */
export function addUploads(files: File[], name?: string): void {
  const drafts = files.map((file) => draftOf(file, files.length === 1 ? name : undefined));
  put([...items, ...drafts]);
}

function draftOf(file: File, name?: string): UploadItem {
  made += 1;
  const said = { name: name ?? nameOfFile(file.name), format: null, map: null };
  return { id: made, file, ...said, state: "draft", marks: [], sent: null, error: null };
}

export function changeUpload(id: number, change: Partial<UploadItem>): void {
  put(items.map((item) => (item.id === id ? { ...item, ...change } : item)));
}

/** Takes it off the list; one that is under way is cancelled, and nothing of it is kept. */
export function dropUpload(id: number): void {
  aborts.get(id)?.abort();
  aborts.delete(id);
  put(items.filter((item) => item.id !== id));
}

/** Sends it; once a version is there, `onDone`. */
export async function beginUpload(id: number, onDone: () => void): Promise<void> {
  const item = items.find((one) => one.id === id);
  if (item === undefined || isBusy(item)) return;
  const abort = new AbortController();
  aborts.set(id, abort);
  changeUpload(id, { state: "sending", marks: [{ at: performance.now(), bytes: 0 }], error: null });
  try {
    const sent = await sendFile(item, abort.signal, (bytes) => progressed(id, bytes));
    changeUpload(id, { state: "done", sent });
    onDone();
  } catch (error) {
    if (!abort.signal.aborted) changeUpload(id, { state: "failed", error });
  } finally {
    aborts.delete(id);
  }
}

function progressed(id: number, bytes: number): void {
  const item = items.find((one) => one.id === id);
  if (item === undefined) return;
  const state = bytes >= item.file.size ? "checking" : "sending";
  changeUpload(id, { state, marks: withMark(item.marks, { at: performance.now(), bytes }) });
}
