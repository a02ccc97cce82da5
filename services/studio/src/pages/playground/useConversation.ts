// The conversation that goes on: asks, listens to both sides, stops; kept for as long as the tab is.
import { useCallback, useEffect, useRef, useState } from "react";
import { chat } from "../../api/chat";
import { ApiProblem } from "../../api/problem";
import {
  type Answer,
  freshAnswer,
  freshTurn,
  isRunning,
  type Message,
  messagesOf,
  type Sampling,
  settled,
  type Trouble,
  type Turn,
  withAnswer,
} from "../../lib/conversation";

const KEY = "kargah.playground";

export interface Wish {
  models: string[];
  system: string;
  sampling: Sampling;
}

export function useConversation() {
  const [turns, setTurns] = useState(kept);
  const latest = useRef(turns);
  const stops = useRef(new Set<AbortController>());
  latest.current = turns;
  const running = isRunning(turns);

  const stop = useCallback(() => {
    for (const controller of stops.current) controller.abort();
  }, []);
  useEffect(() => stop, [stop]); // whoever leaves the page does not wait for the answer
  useEffect(() => {
    if (!running) keep(turns);
  }, [running, turns]);

  const listen = useCallback(async (turn: number, side: number, model: string, messages: Message[], wish: Wish) => {
    const controller = new AbortController();
    stops.current.add(controller);
    const change = (told: Partial<Answer>) => setTurns((before) => withAnswer(before, turn, side, told));
    await hear(model, messages, wish.sampling, controller.signal, change);
    stops.current.delete(controller);
  }, []);

  const ask = useCallback(
    (question: string, wish: Wish) => {
      const turn = freshTurn(latest.current, question, wish.models);
      const all = [...latest.current, turn];
      setTurns(all);
      wish.models.forEach((model, side) => {
        void listen(turn.id, side, model, messagesOf(all, turn.id, side, wish.system), wish);
      });
    },
    [listen],
  );

  /** The same question again, to the model that failed to answer it. */
  const again = useCallback(
    (turn: number, side: number, wish: Wish) => {
      const model = latest.current.find(({ id }) => id === turn)?.answers[side]?.model;
      if (model === undefined) return;
      setTurns((before) => withAnswer(before, turn, side, freshAnswer(model)));
      void listen(turn, side, model, messagesOf(latest.current, turn, side, wish.system), wish);
    },
    [listen],
  );

  const clear = useCallback(() => {
    stop();
    setTurns([]);
  }, [stop]);

  return { turns, running, ask, again, stop, clear };
}

/** Tells of an answer as it comes, and how it ended. */
async function hear(
  model: string,
  messages: Message[],
  sampling: Sampling,
  signal: AbortSignal,
  change: (told: Partial<Answer>) => void,
): Promise<void> {
  const began = performance.now();
  const since = () => performance.now() - began;
  let text = "";
  try {
    for await (const piece of chat(model, messages, sampling, signal)) {
      if (piece.text) {
        if (text === "") change({ state: "speaking", firstMs: since() });
        text += piece.text;
        change({ text });
      }
      if (piece.reason !== undefined) change({ reason: piece.reason });
      if (piece.tokens !== undefined) change({ tokens: piece.tokens });
    }
    change({ state: "done", totalMs: since() });
  } catch (error) {
    if (signal.aborted) change({ state: "stopped", totalMs: since() });
    else change({ state: "failed", totalMs: since(), trouble: troubleOf(error) });
  }
}

function troubleOf(error: unknown): Trouble {
  if (!(error instanceof ApiProblem)) return { status: 0, code: "unreachable", detail: null };
  return { status: error.status, code: error.code, detail: error.problem?.detail ?? null };
}

function kept(): Turn[] {
  try {
    return settled(JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Turn[]);
  } catch {
    return []; // storage that is switched off, or holds something else
  }
}

function keep(turns: Turn[]): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(turns));
  } catch {
    // the conversation lasts as long as the page, then
  }
}
