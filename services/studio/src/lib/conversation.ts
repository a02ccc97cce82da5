// A conversation with one or two models at once: the same questions, to each its own answers.

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** null leaves it to the model. */
export interface Sampling {
  temperature: number | null;
  topP: number | null;
  maxTokens: number;
  seed: number | null;
}

/** Why there is no answer, or only half of one. */
export interface Trouble {
  status: number;
  code: string;
  detail: string | null;
}

export interface Answer {
  model: string;
  text: string;
  state: "waiting" | "speaking" | "done" | "stopped" | "failed";
  reason: "stop" | "length" | null;
  tokens: number | null;
  /** Until the first piece, and in all, in ms. */
  firstMs: number | null;
  totalMs: number | null;
  trouble: Trouble | null;
}

export interface Turn {
  id: number;
  question: string;
  /** By side: the first model's, the second's. */
  answers: Answer[];
}

export function freshTurn(turns: Turn[], question: string, models: string[]): Turn {
  const id = (turns[turns.length - 1]?.id ?? 0) + 1;
  return { id, question, answers: models.map(freshAnswer) };
}

export function freshAnswer(model: string): Answer {
  return {
    model,
    text: "",
    state: "waiting",
    reason: null,
    tokens: null,
    firstMs: null,
    totalMs: null,
    trouble: null,
  };
}

/** `turns` with one answer changed. */
export function withAnswer(turns: Turn[], id: number, side: number, change: Partial<Answer>): Turn[] {
  return turns.map((turn) =>
    turn.id === id
      ? { ...turn, answers: turn.answers.map((answer, at) => (at === side ? { ...answer, ...change } : answer)) }
      : turn,
  );
}

/** What the model of one side is sent: what was said on that side before, and the question of turn `id`. */
export function messagesOf(turns: Turn[], id: number, side: number, system: string): Message[] {
  const messages: Message[] = system.trim() ? [{ role: "system", content: system.trim() }] : [];
  for (const turn of turns) {
    const said = turn.answers[side]?.text ?? "";
    if (turn.id === id) return [...messages, { role: "user", content: turn.question }];
    if (said !== "") messages.push({ role: "user", content: turn.question }, { role: "assistant", content: said });
  }
  return messages;
}

export function isRunning(turns: Turn[]): boolean {
  return turns.some(({ answers }) => answers.some(({ state }) => state === "waiting" || state === "speaking"));
}

/** Tokens a second once the first was there; null where it cannot be told. */
export function speedOf({ tokens, firstMs, totalMs }: Answer): number | null {
  if (tokens === null || firstMs === null || totalMs === null || tokens < 2 || totalMs <= firstMs) return null;
  return ((tokens - 1) * 1000) / (totalMs - firstMs);
}

/** A conversation that was kept: what was on its way then has been stopped since. */
export function settled(turns: Turn[]): Turn[] {
  return turns.map((turn) => ({
    ...turn,
    answers: turn.answers.map((answer) =>
      answer.state === "waiting" || answer.state === "speaking" ? { ...answer, state: "stopped" } : answer,
    ),
  }));
}
