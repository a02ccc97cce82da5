// A failure in the language of the page. The API speaks English; what it says in detail is shown as it is.
import { useTranslation } from "react-i18next";
import { ApiProblem } from "../api/problem";

export interface ProblemText {
  title: string;
  /** What the API says, in English; null when the title says it all. */
  detail: string | null;
  hint: string | null;
}

type Translate = (key: string, options?: object) => string;

export function problemText(t: Translate, error: unknown): ProblemText {
  if (!(error instanceof ApiProblem)) return { title: t("problems.unknown"), detail: String(error), hint: null };
  const title = t([
    `problems.${error.code}`,
    `problems.status${error.status}`,
    "problems.unknown",
  ] as unknown as string);
  return { title, detail: error.problem?.detail ?? null, hint: error.hint };
}

export function useProblemText(): (error: unknown) => ProblemText {
  const { t } = useTranslation();
  return (error) => problemText(t as Translate, error);
}
