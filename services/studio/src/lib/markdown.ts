// As much of Markdown as model cards use, read into plain data. Nothing of it becomes HTML by itself: tags are text.

export type Inline =
  | { kind: "text" | "code" | "strong" | "emphasis" | "image"; text: string }
  | { kind: "link"; text: string; href: string };

export type Block =
  | { kind: "heading"; level: number; text: Inline[] }
  | { kind: "paragraph" | "quote"; text: Inline[] }
  | { kind: "code"; code: string }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] }
  | { kind: "rule" };

interface Found {
  block: Block;
  /** The line after it. */
  next: number;
}

type Reader = (lines: string[], at: number) => Found | null;

const HEADING = /^(#{1,6})\s+(\S.*)$/;
const ITEM = /^\s*([-*+]|\d{1,4}[.)])\s+(.*)$/;
const FENCE = /^\s*(```|~~~)/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;

/** The blocks of a text, without the front matter above it. Headings begin at `top` and skip no level. */
export function blocksOf(text: string, top = 1): Block[] {
  const lines = withoutFrontMatter(text.replace(/\r\n?/g, "\n").split("\n"));
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.trim() === "") at += 1;
    else {
      const found = first(lines, at);
      blocks.push(found.block);
      at = found.next;
    }
  }
  return withoutGaps(blocks, top);
}

function withoutFrontMatter(lines: string[]): string[] {
  if (lines[0]?.trim() !== "---") return lines;
  const end = lines.indexOf("---", 1);
  return end < 0 ? lines : lines.slice(end + 1);
}

function first(lines: string[], at: number): Found {
  for (const read of [fence, heading, rule, table, list, quote]) {
    const found = read(lines, at);
    if (found !== null) return found;
  }
  return paragraph(lines, at);
}

const fence: Reader = (lines, at) => {
  const mark = FENCE.exec(lines[at] ?? "")?.[1];
  if (mark === undefined) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end]?.trimStart().startsWith(mark)) end += 1;
  return { block: { kind: "code", code: lines.slice(at + 1, end).join("\n") }, next: end + 1 };
};

const heading: Reader = (lines, at) => {
  const [, marks, text] = HEADING.exec(lines[at] ?? "") ?? [];
  if (marks === undefined || text === undefined) return null;
  return {
    block: { kind: "heading", level: marks.length, text: inlinesOf(text.trim().replace(/ #+$/, "")) },
    next: at + 1,
  };
};

const rule: Reader = (lines, at) => (RULE.test(lines[at] ?? "") ? { block: { kind: "rule" }, next: at + 1 } : null);

const table: Reader = (lines, at) => {
  if (!lines[at]?.includes("|") || !isDivider(lines[at + 1] ?? "")) return null;
  let end = at + 2;
  while (lines[end]?.includes("|")) end += 1;
  const rows = lines.slice(at + 2, end).map(cells);
  return { block: { kind: "table", head: cells(lines[at] ?? ""), rows }, next: end };
};

function isDivider(line: string): boolean {
  return line.includes("-") && /^[\s:|-]+$/.test(line);
}

function cells(line: string): Inline[][] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => inlinesOf(cell.trim().replaceAll("\\|", "|")));
}

const list: Reader = (lines, at) => {
  const mark = ITEM.exec(lines[at] ?? "")?.[1];
  if (mark === undefined) return null;
  const items: string[] = [];
  let end = at;
  for (; end < lines.length && lines[end]?.trim() !== ""; end += 1) {
    const item = ITEM.exec(lines[end] ?? "");
    if (item) items.push(item[2] ?? "");
    else if (begins(lines, end)) break;
    else items.push(`${items.pop() ?? ""} ${lines[end]?.trim()}`);
  }
  return { block: { kind: "list", ordered: /\d/.test(mark), items: items.map(inlinesOf) }, next: end };
};

const quote: Reader = (lines, at) => {
  let end = at;
  while (lines[end]?.startsWith(">")) end += 1;
  if (end === at) return null;
  const text = lines.slice(at, end).map((line) => line.replace(/^>\s?/, ""));
  return { block: { kind: "quote", text: inlinesOf(text.join("\n")) }, next: end };
};

function paragraph(lines: string[], at: number): Found {
  let end = at + 1;
  while (end < lines.length && lines[end]?.trim() !== "" && !begins(lines, end)) end += 1;
  return { block: { kind: "paragraph", text: inlinesOf(lines.slice(at, end).join("\n")) }, next: end };
}

/** Whether something else begins in this line, without an empty one before it. */
function begins(lines: string[], at: number): boolean {
  const line = lines[at] ?? "";
  return FENCE.test(line) || HEADING.test(line) || ITEM.test(line) || line.startsWith(">");
}

// Everything is bounded: a card is anybody's text, and may not keep the browser busy.
const INLINE =
  /`([^`\n]{1,500})`|\*\*([^*\n]{1,500})\*\*|__([^_\n]{1,500})__|\*([^*\n]{1,500})\*|(!?)\[([^\]\n]{0,300})\]\(([^)\s]{0,500})(?:\s[^)\n]{0,200})?\)/g;

/** Only addresses of the web become links; any other is told as its text. */
export function inlinesOf(text: string): Inline[] {
  const found: Inline[] = [];
  let after = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > after) found.push({ kind: "text", text: text.slice(after, match.index) });
    found.push(inlineOf(match));
    after = match.index + match[0].length;
  }
  if (after < text.length) found.push({ kind: "text", text: text.slice(after) });
  return found;
}

function inlineOf([whole, code, strong, strongToo, emphasis, image, label = "", href = ""]: RegExpMatchArray): Inline {
  if (code !== undefined) return { kind: "code", text: code };
  const bold = strong ?? strongToo;
  if (bold !== undefined) return { kind: "strong", text: bold };
  if (emphasis !== undefined) return { kind: "emphasis", text: emphasis };
  if (image) return { kind: "image", text: label || href };
  if (/^https?:\/\//i.test(href)) return { kind: "link", text: label || href, href };
  return { kind: "text", text: label || whole };
}

/** Levels of headings from `top` down to 6, each at most one deeper than the one before. */
function withoutGaps(blocks: Block[], top: number): Block[] {
  const open: number[] = [];
  return blocks.map((block) => {
    if (block.kind !== "heading") return block;
    while (open.length > 0 && (open[open.length - 1] ?? 0) >= block.level) open.pop();
    open.push(block.level);
    return { ...block, level: Math.min(6, top + open.length - 1) };
  });
}
