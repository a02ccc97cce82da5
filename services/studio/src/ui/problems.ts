// A failure in the language of the page.
import { useTranslation } from "react-i18next";
import { ApiProblem } from "../api/problem";
import { i18next } from "../i18n";
import { type Failure, type FailureWords, wordsOf } from "../lib/failures";

export interface ProblemText {
  title: string;
  failure: Failure;
}

type Translate = (key: string, options?: object) => string;

export function problemText(t: Translate, error: unknown): ProblemText {
  if (!(error instanceof ApiProblem)) {
    return { title: t("problems.unknown"), failure: { about: "request", detail: String(error) } };
  }
  const { code, status, hint, problem } = error;
  const title = t([
    `problems.${code}`,
    `failures:request.${code}.title`,
    `problems.status${status}`,
    "problems.unknown",
  ] as unknown as string);
  return { title, failure: { about: "request", code, detail: problem?.detail, hint, errors: problem?.errors } };
}

export function useProblemText(): (error: unknown) => ProblemText {
  const { t } = useTranslation();
  return (error) => problemText(t as Translate, error);
}

/** Until the texts are there, the service's own words are shown: nobody waits for them. */
export function useFailureWords(): (failure: Failure) => FailureWords {
  const { t } = useTranslation("failures", { useSuspense: false });
  const look = (key: string) => (i18next.exists(key, { ns: "failures" }) ? t(key) : null);
  return (failure) => wordsOf(look, failure);
}
