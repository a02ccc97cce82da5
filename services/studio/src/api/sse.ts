// Server-Sent Events by `fetch`, which unlike EventSource can say who asks.
import { ApiProblem } from "./problem";

export interface ServerEvent {
  id: string | null;
  event: string;
  data: string;
}

/** Takes text as it comes, in pieces of any size, and gives each event as soon as it is whole. */
export class SseParser {
  #rest = "";
  #lines: string[] = [];

  push(text: string): ServerEvent[] {
    const found: ServerEvent[] = [];
    const parts = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line !== "") this.#lines.push(line);
      else {
        const event = eventOf(this.#lines);
        this.#lines = [];
        if (event !== null) found.push(event);
      }
    }
    return found;
  }
}

function eventOf(lines: string[]): ServerEvent | null {
  const event: ServerEvent = { id: null, event: "message", data: "" };
  const data: string[] = [];
  for (const line of lines) {
    const [name, value] = field(line);
    if (name === "id") event.id = value;
    else if (name === "event") event.event = value;
    else if (name === "data") data.push(value);
  }
  return data.length === 0 ? null : { ...event, data: data.join("\n") };
}

function field(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}

/** The events of an answer's body, until it ends. Throws when nothing has come for `patience` ms: a connection that was
 * lost on the way ends for nobody. */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  patience = Number.POSITIVE_INFINITY,
): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  const parser = new SseParser();
  try {
    while (true) {
      const { done, value } = await within(reader.read(), patience);
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function within<Value>(coming: Promise<Value>, patience: number): Promise<Value> {
  if (patience === Number.POSITIVE_INFINITY) return coming;
  let timer: ReturnType<typeof setTimeout>;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ApiProblem(0, null, "unreachable")), patience);
  });
  return Promise.race([coming, silence]).finally(() => clearTimeout(timer));
}
