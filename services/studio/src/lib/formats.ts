// The shapes of rows that can be asked for at an upload. Left out, the service recognises them.
export const FORMATS = [
  "messages",
  "sharegpt",
  "question_answer",
  "alpaca",
  "prompt_completion",
  "labelled_text",
  "text",
  "preference",
  "kto",
  "token_labels",
  "speech",
] as const;

/** The names of splits, in the order in which people think of them. */
export const SPLITS = ["train", "validation", "test"] as const;

/** How rows are written, as the statistics tell it. */
export const SCRIPTS = ["persian", "latin", "mixed", "arabic_script", "other", "none"] as const;

const FIELDS: Record<string, string[]> = {
  messages: ["messages"],
  sharegpt: ["conversations"],
  question_answer: ["question", "answer", "context"],
  alpaca: ["instruction", "input", "output"],
  prompt_completion: ["prompt", "completion"],
  labelled_text: ["text", "label"],
  text: ["text"],
  preference: ["prompt", "chosen", "rejected"],
  kto: ["prompt", "completion", "label"],
  token_labels: ["tokens", "tags"],
  speech: ["audio", "text"],
};

/** The fields that a column may be given to: of one format, or of all. */
export function fieldsOf(format: string | null): string[] {
  return format === null ? [...new Set(Object.values(FIELDS).flat())] : (FIELDS[format] ?? []);
}
