// Talking to a model: OpenAI's chat completions as a stream.
import { queryOptions } from "@tanstack/react-query";
import type { Message, Sampling } from "../lib/conversation";
import { api, body, identified } from "./client";
import { ApiProblem, type Problem } from "./problem";
import { eventsOf } from "./sse";

/** The models that can be talked to, newest first. */
export const talkersQuery = queryOptions({
  queryKey: ["talkers"],
  queryFn: async ({ signal }) => (await body(api.GET("/v1/models", { signal }))).data.map(({ id }) => id),
});

/** What a stream brings: a piece of the answer, why it ended, or how many tokens it took. */
export interface Piece {
  text?: string;
  reason?: "stop" | "length";
  tokens?: number;
}

/** Throws an ApiProblem, also for what goes wrong in the middle. */
export async function* chat(
  model: string,
  messages: Message[],
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const request = {
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    temperature: sampling.temperature,
    top_p: sampling.topP,
    max_tokens: sampling.maxTokens,
    seed: sampling.seed,
  };
  const answer = await identified(
    new Request(`${window.location.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
      signal,
    }),
  );
  if (!answer.ok || answer.body === null) throw refusal(answer.status, await answer.json().catch(() => null));
  for await (const { data } of eventsOf(answer.body)) {
    if (data === "[DONE]") return;
    yield pieceOf(JSON.parse(data));
  }
  throw new ApiProblem(0, null, "unreachable"); // the connection broke off before the end
}

interface Chunk {
  choices?: { delta: { content?: string | null }; finish_reason?: "stop" | "length" | null }[];
  usage?: { completion_tokens: number } | null;
  error?: unknown;
}

export function pieceOf(chunk: Chunk): Piece {
  if (chunk.error !== undefined) throw refusal(500, chunk);
  const choice = chunk.choices?.[0];
  return {
    text: choice?.delta.content ?? undefined,
    reason: choice?.finish_reason ?? undefined,
    tokens: chunk.usage?.completion_tokens,
  };
}

/** OpenAI's envelope of an error, as a problem like any other. */
export function refusal(status: number, told: unknown): ApiProblem {
  const error = (told as { error?: { message?: string; code?: string } } | null)?.error;
  if (error?.message === undefined) return new ApiProblem(status, null, `HTTP ${status}`);
  const problem = { status, code: error.code ?? "unknown", detail: error.message } as Problem;
  return new ApiProblem(status, problem, error.message);
}
