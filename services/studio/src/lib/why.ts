// Why something became of a job, as its events tell it.
import type { Job } from "../api/client";
import { type Failure, jobFailure } from "./failures";

export interface Why {
  /** Something went wrong: it is told as failures are. */
  failure: Failure | null;
  /** Stands for what nobody did wrong; null in what older releases wrote. */
  code: string | null;
  /** The service's words. */
  said: string;
}

const CODE = /^\w+$/;

export function whyOf(data: Record<string, unknown>): Why | null {
  const said = textOf(data.reason) ?? textOf(data.message) ?? "";
  if (isError(data.error)) return { failure: jobFailure(data.error), code: null, said };
  const code = textOf(data.code);
  if (code !== null)
    return { failure: { about: "job", code, detail: said, hint: textOf(data.hint) }, code: null, said };
  if (said === "") return null;
  const word = textOf(data.cause) ?? said;
  return { failure: null, code: CODE.test(word) ? word : null, said };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isError(value: unknown): value is NonNullable<Job["error"]> {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}
