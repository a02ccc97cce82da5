/** Has the browser fetch what is at an address, as a file to keep. */
export function fetchFile(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replace(/[/\\]/g, "-");
  link.click();
}

/** A table, as `saveFile`: with the mark by which spreadsheets know UTF-8, without which they garble Persian. */
export function saveCsv(name: string, content: string): void {
  saveFile(name, "text/csv", `\ufeff${content}`);
}

/** Hands a text to the browser as a file to keep. */
export function saveFile(name: string, type: string, content: BlobPart): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  fetchFile(address, name);
  URL.revokeObjectURL(address);
}
