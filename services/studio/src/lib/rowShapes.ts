// How a row is shown: as a conversation, as a question and its answer, or field by field.

export interface Turn {
  role: string;
  text: string;
}

export type RowShape =
  | { kind: "turns"; turns: Turn[]; rest: [string, unknown][] }
  | { kind: "pair"; asked: Turn[]; answers: Turn[]; rest: [string, unknown][] }
  | { kind: "fields"; rest: [string, unknown][] };

type Row = Record<string, unknown>;

const ROLES: Record<string, string> = {
  human: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  model: "assistant",
  bot: "assistant",
};
const TURNS = ["messages", "conversations", "conversation"];

// By format: what is asked, and what is to be learned; each under the names that files use for it.
const PAIRS: Record<string, { asked: string[][]; answers: string[][] }> = {
  question_answer: {
    asked: [
      ["context", "passage", "متن", "زمینه"],
      ["question", "سوال", "پرسش", "سؤال", "query"],
    ],
    answers: [["answer", "جواب", "پاسخ", "answers", "answer_text"]],
  },
  alpaca: { asked: [["instruction"], ["input"]], answers: [["output"]] },
  prompt_completion: { asked: [["prompt"]], answers: [["completion"]] },
  preference: { asked: [["prompt"]], answers: [["chosen"], ["rejected"]] },
  kto: { asked: [["prompt"]], answers: [["completion"]] },
};

export function shapeOf(format: string, row: Row): RowShape {
  return turnsOf(row) ?? pairOf(format, row) ?? { kind: "fields", rest: Object.entries(row) };
}

function turnsOf(row: Row): RowShape | null {
  const key = TURNS.find((name) => Array.isArray(row[name]));
  if (key === undefined) return null;
  const turns = (row[key] as unknown[]).map(turnOf);
  if (turns.some((turn) => turn === null)) return null;
  return { kind: "turns", turns: turns as Turn[], rest: without(row, [key]) };
}

function turnOf(message: unknown): Turn | null {
  if (typeof message !== "object" || message === null) return null;
  const { role, content, from, value } = message as Row;
  const said = content ?? value;
  const who = String(role ?? from ?? "");
  return typeof said === "string" ? { role: ROLES[who] ?? who, text: said } : null;
}

function pairOf(format: string, row: Row): RowShape | null {
  const names = PAIRS[format];
  if (names === undefined) return null;
  const asked = found(row, names.asked);
  const answers = found(row, names.answers);
  if (asked.length === 0 || answers.length === 0) return null;
  const used = [...asked, ...answers].map(({ role }) => role);
  return { kind: "pair", asked, answers, rest: without(row, used) };
}

/** Those of the columns that hold text, in order; `role` is what the file calls it. */
function found(row: Row, columns: string[][]): Turn[] {
  return columns.flatMap((names) => {
    const role = names.find((name) => typeof row[name] === "string" && row[name] !== "");
    return role === undefined ? [] : [{ role, text: row[role] as string }];
  });
}

function without(row: Row, used: string[]): [string, unknown][] {
  return Object.entries(row).filter(([name]) => !used.includes(name));
}

/** A value of a field as text. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || typeof value !== "object" ? String(value) : JSON.stringify(value, null, 1);
}
