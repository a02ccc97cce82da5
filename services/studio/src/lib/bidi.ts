// Texts of people in the middle of our sentences: a sign that turns the direction must not turn what comes after it.

const EMBEDS = /[\u202a-\u202e]/;
const OPENERS = "\u2066\u2067\u2068";
const CLOSER = "\u2069";

/** `text` so that its direction ends with it. As it is where it has no such signs, or closes what it opens. */
export function contained(text: string): string {
  let open = 0;
  let kept = "";
  for (const letter of text) {
    if (letter === CLOSER && open === 0) continue; // it would close what is around it
    if (letter === CLOSER) open -= 1;
    else if (OPENERS.includes(letter)) open += 1;
    kept += letter;
  }
  if (open === 0 && !EMBEDS.test(kept)) return kept;
  return `\u2068${kept}${CLOSER.repeat(open + 1)}`;
}
