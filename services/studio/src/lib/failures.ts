// What went wrong, by its code, in the language of the page: failures.json has a text for each code that the services
// send. Where there is none, as for all of them in English, what the service says itself stands.
import type { Job } from "../api/client";
import type { Problem } from "../api/problem";

export interface Failure {
  /** The same code means one thing in the answer to a request, and another as the end of a job. */
  about: "request" | "job";
  code?: string | null | undefined;
  /** In the service's words, as `hint`, the way out, is. */
  detail?: string | null | undefined;
  hint?: string | null | undefined;
  errors?: Problem["errors"];
  /** False: the job is tried again by itself. */
  permanent?: boolean | undefined;
}

export interface FieldWords {
  field: string;
  text: string;
  /** Whether `text` is the page's, and not the service's. */
  known: boolean;
}

export interface FailureWords {
  /** What happened; null where there is no text for the code. */
  title: string | null;
  /** What can be done about it. */
  way: string | null;
  /** What is wrong with each field. */
  fields: FieldWords[];
  /** What the service says, line by line: it names values. */
  original: string[];
  /** Whether the texts above say as much, so that the original may be out of the way. */
  told: boolean;
}

/** The text of a key of failures.json; null where there is none. */
export type Look = (key: string) => string | null;

const CODE = /^\w+$/;

export function wordsOf(look: Look, failure: Failure): FailureWords {
  const text = (part: string) => textOf(look, `${failure.about}.${failure.code}`, failure.code, part);
  const title = text("title");
  const again = failure.permanent === false && title !== null ? look("triedAgain") : null;
  const fields = (failure.errors ?? []).map((error) => fieldWords(look, error));
  return {
    title,
    way: [text("way"), again].filter(Boolean).join(" ") || null,
    fields: fields.filter(({ text: said }) => said !== failure.detail),
    original: originalOf(failure, look, title !== null),
    told: failure.about === "job" ? title !== null : fields.length > 0 && fields.every(({ known }) => known),
  };
}

type FieldError = NonNullable<Problem["errors"]>[number];

export function fieldWords(
  look: Look,
  { field, code, message }: Pick<FieldError, "field" | "code" | "message">,
): FieldWords {
  const text = textOf(look, `field.${code}`, code);
  return { field, text: text ?? message, known: text !== null };
}

/** Why a job failed, or its last attempt. */
export function jobFailure(error: NonNullable<Job["error"]>): Failure {
  return { about: "job", code: error.code, detail: error.message, hint: error.hint, permanent: error.permanent };
}

function textOf(look: Look, key: string, code: string | null | undefined, part?: string): string | null {
  if (code == null || !CODE.test(code)) return null;
  return look(part === undefined ? key : `${key}.${part}`);
}

/** With what is said otherwise above: fields with a text, and the code of a job's error where a title stands for it. */
function originalOf({ about, code, detail, hint, errors = [] }: Failure, look: Look, titled: boolean): string[] {
  const fields = errors
    .filter((error) => error.message !== detail && fieldWords(look, error).known)
    .map(({ field, message }) => `${field}: ${message}`);
  const lines = [detail, ...fields, hint, about === "job" && titled ? code : null];
  return lines.filter((line): line is string => Boolean(line));
}
