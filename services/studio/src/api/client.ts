// Requests to the gateway, typed by its OpenAPI document. Every failure is an ApiProblem.
import createClient, { type Middleware } from "openapi-fetch";
import { heardTime } from "../lib/clock";
import { ApiProblem, problemOf } from "./problem";
import type { components, paths } from "./schema";
import { identity, renew } from "./session";

export type Schemas = components["schemas"];
export type Job = Schemas["JobView"];
export type Recipe = Schemas["RecipeView"];
export type Dataset = Schemas["DatasetView"];
export type DatasetVersion = Schemas["DatasetVersionView"];
export type Model = Schemas["ModelView"];
export type ModelVersion = Schemas["ModelVersionView"];

/** `fetch` with who asks; once more with new tokens when the session has run out. */
export async function identified(input: Request): Promise<Response> {
  const again = input.clone();
  const first = identity();
  const answer = await sent(input, first);
  if (answer.status !== 401 || !(await renew(first.authorization))) return answer;
  return sent(again, identity());
}

async function sent(request: Request, headers: Record<string, string>): Promise<Response> {
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
  try {
    const answer = await fetch(request);
    heardTime(answer.headers.get("date"));
    return answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiProblem(0, null, "unreachable");
  }
}

const problems: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw problemOf(response.status, await response.json().catch(() => null));
  },
};

// Of answers that come as JSON or as a stream, these are the JSON.
export const api = createClient<paths, "application/json">({ baseUrl: window.location.origin, fetch: identified });
api.use(problems);

/** The body of an answer that has one. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data } = await answer;
  if (data === undefined) throw new ApiProblem(0, null, "unreachable");
  return data;
}
