// What a dataset may be called. The service has the last word; this is told while one types.
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$/;
const ENDINGS = /(\.(jsonl|ndjson|json|csv|tsv|txt|parquet|gz|gzip|zst|zstd))+$/i;

export function isDatasetName(text: string): boolean {
  return NAME.test(text) && !text.includes("..");
}

/** The name that a file suggests; empty when nothing of it can stand in one. */
export function nameOfFile(filename: string): string {
  const stem = filename.replace(ENDINGS, "");
  const name = stem
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/\.{2,}/g, ".")
    .replace(/^[._-]+|[._-]+$/g, "")
    .slice(0, 96);
  return isDatasetName(name) ? name : "";
}
