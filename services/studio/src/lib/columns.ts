// The columns of a file, as far as its first bytes tell: to choose from when a mapping is written.
const PEEK_BYTES = 64 << 10;
const DELIMITERS = [",", ";", "\t"];
const MOST = 64;

/** Empty where that cannot be said here: packed files, Parquet, plain text. */
export async function columnsOf(file: Blob): Promise<string[]> {
  const text = await file.slice(0, PEEK_BYTES).text();
  return columnsIn(text.replace(/^\ufeff/, "").trimStart()).slice(0, MOST);
}

export function columnsIn(text: string): string[] {
  if (text.includes("\u0000") || text.includes("\ufffd\ufffd")) return [];
  const [line = ""] = text.split(/\r?\n/, 1);
  if (line.startsWith("{")) return keysOf(line);
  if (text.startsWith("[")) return keysOf(firstObject(text));
  return headerOf(line);
}

function keysOf(json: string): string[] {
  try {
    const row: unknown = JSON.parse(json);
    return typeof row === "object" && row !== null ? Object.keys(row) : [];
  } catch {
    return [];
  }
}

/** The text of the first object of a JSON array: to the brace that closes it. */
function firstObject(text: string): string {
  const start = text.indexOf("{");
  for (let end = text.indexOf("}", start); start >= 0 && end >= 0; end = text.indexOf("}", end + 1)) {
    const candidate = text.slice(start, end + 1);
    if (keysOf(candidate).length > 0) return candidate;
  }
  return "";
}

function headerOf(line: string): string[] {
  const split = DELIMITERS.map((delimiter) => line.split(delimiter));
  const columns = split.reduce((best, one) => (one.length > best.length ? one : best), []);
  return columns.length < 2 ? [] : columns.map((column) => column.trim().replace(/^"(.*)"$/, "$1"));
}

/** `field:column,...` as the service takes it; null where nothing is mapped. */
export function mappingText(pairs: { field: string; column: string }[]): string | null {
  const given = pairs.filter(({ field, column }) => field.trim() !== "" && column.trim() !== "");
  return given.length === 0 ? null : given.map(({ field, column }) => `${field.trim()}:${column.trim()}`).join(",");
}
