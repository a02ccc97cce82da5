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
