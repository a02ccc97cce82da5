// Which words of a text changed. By words and not by letters: what is mended is often invisible alone.

export interface Part {
  text: string;
  changed: boolean;
}

const MOST_WORDS = 400;

/** `before` and `after` in parts, in order; each part's text with the spaces that follow it. */
export function wordDiff(before: string, after: string): [Part[], Part[]] {
  const one = before.match(/\S+\s*|\s+/g) ?? [];
  const other = after.match(/\S+\s*|\s+/g) ?? [];
  if (one.length > MOST_WORDS || other.length > MOST_WORDS) return [[plain(before)], [plain(after)]];
  const kept = commonWords(one, other);
  return [
    parted(
      one,
      kept.map(([place]) => place),
    ),
    parted(
      other,
      kept.map(([, place]) => place),
    ),
  ];
}

function plain(text: string): Part {
  return { text, changed: false };
}

/** The places of the longest common subsequence, in both. */
function commonWords(one: string[], other: string[]): [number, number][] {
  const lengths = Array.from({ length: one.length + 1 }, () => new Array<number>(other.length + 1).fill(0));
  const at = (row: number, column: number) => lengths[row]?.[column] ?? 0;
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      const longest = same(one[row], other[column])
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
      (lengths[row] as number[])[column] = longest;
    }
  }
  return walked(one, other, at);
}

function walked(one: string[], other: string[], at: (row: number, column: number) => number): [number, number][] {
  const kept: [number, number][] = [];
  let row = 0;
  let column = 0;
  while (row < one.length && column < other.length) {
    if (same(one[row], other[column])) kept.push([row++, column++]);
    else if (at(row + 1, column) >= at(row, column + 1)) row++;
    else column++;
  }
  return kept;
}

function same(one: string | undefined, other: string | undefined): boolean {
  return one?.trimEnd() === other?.trimEnd();
}

function parted(words: string[], kept: number[]): Part[] {
  const unchanged = new Set(kept);
  const parts: Part[] = [];
  words.forEach((word, place) => {
    const changed = !unchanged.has(place);
    const last = parts[parts.length - 1];
    if (last !== undefined && last.changed === changed) last.text += word;
    else parts.push({ text: word, changed });
  });
  return parts;
}
