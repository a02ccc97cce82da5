// Numbers as people write them: Persian and Arabic digits, a decimal sign of either script, exponents.

const ZEROES = [0x06f0, 0x0660];

/** The number that `text` says; null when it says none. */
export function readNumber(text: string): number | null {
  const plain = [...text.trim()].map(latin).join("");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

/** The latin digit or sign for one of another script; grouping marks and direction marks go. */
function latin(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  for (const zero of ZEROES) if (code >= zero && code < zero + 10) return String(code - zero);
  if (letter === "٫" || letter === "/") return ".";
  if (letter === "−") return "-";
  return /[٬,_\u200c\u200e\u200f\u2066-\u2069]/.test(letter) ? "" : letter;
}
