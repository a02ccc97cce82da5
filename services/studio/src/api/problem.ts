// What went wrong with a request, as the API tells it (RFC 9457), or as the browser does when nothing answers.
import type { components } from "./schema";

export type Problem = components["schemas"]["Problem"];

export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, message: string) {
    super(message);
    this.status = status;
    this.problem = problem;
    this.code = problem?.code ?? (status === 0 ? "unreachable" : "unknown");
    this.hint = problem?.hint ?? null;
  }

  /** Nothing answered, or something on the way was away: the same request may go well in a moment. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

export function problemOf(status: number, body: unknown): ApiProblem {
  if (isProblem(body)) return new ApiProblem(status, body, body.detail);
  return new ApiProblem(status, null, `HTTP ${status}`);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "detail" in body && "code" in body;
}

/** Whether to tell `error` instead of showing `data`: there is nothing to show, or what was shown is not there any more.
 * While the gateway is away, what was loaded stays. */
export function isLost(error: unknown, data: unknown): boolean {
  return error !== null && (data === undefined || (error instanceof ApiProblem && error.status === 404));
}
