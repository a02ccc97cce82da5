// Lines that were written for a terminal.

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
// Colours and moves (`ESC [ ... m`), titles and links (`ESC ] ... BEL`), and the short ones.
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)|[ -/]*[0-Z\\\\^-~])`,
  "g",
);

/** `line` without what tells a terminal how to show it. */
export function withoutSequences(line: string): string {
  return line.includes(ESCAPE) ? line.replace(SEQUENCES, "") : line;
}

export interface ShownLine {
  text: string;
  /** Characters at its end that are not shown: a few lines of twenty thousand would keep a browser busy for seconds. */
  rest: number;
}

const MOST_SHOWN = 2_000;

export function shownLine(line: string): ShownLine {
  const text = withoutSequences(line);
  if (text.length <= MOST_SHOWN) return { text, rest: 0 };
  const cut = text.slice(0, MOST_SHOWN).replace(/[\ud800-\udbff]$/, ""); // half a letter is none
  return { text: cut, rest: text.length - cut.length };
}
