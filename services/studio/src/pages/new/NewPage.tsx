// A new training: what from, on what, how; what it would take; and the same as a command.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { jobQuery } from "../../api/jobs";
import { installedQuery, recipesQuery } from "../../api/platform";
import { PageHead } from "../../ui/PageHead";
import { Bones, Failed } from "../../ui/states";
import { Form } from "./Form";
import { type Draft, draftOf, EMPTY } from "./plan";
import { useOwn } from "./useOwn";

export default function NewPage() {
  const { t } = useTranslation("new");
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <Content />
    </>
  );
}

function Content() {
  const installed = useQuery(installedQuery);
  const recipes = useQuery(recipesQuery);
  const first = useFirstDraft();
  const failed = [installed, recipes, first].find(({ error, data }) => error !== null && data === undefined);
  if (failed !== undefined) return <Failed error={failed.error} again={() => void failed.refetch()} />;
  if (installed.data === undefined || recipes.data === undefined || first.data === undefined) {
    return <Bones lines={3} height={170} />;
  }
  return <Form first={first.data} installed={installed.data} recipes={recipes.data.items} />;
}

/** What the address asks for: a job to begin from, a model, a dataset. */
function useFirstDraft() {
  const [address] = useSearchParams();
  const from = address.get("from");
  const job = useQuery({ ...jobQuery(from ?? ""), enabled: from !== null });
  const { own, ...asked } = useOwn(job.data);
  const start = from === null ? EMPTY : job.data && own && draftOf(job.data, own);
  const data: Draft | undefined = start && {
    ...start,
    model: address.get("model") ?? start.model,
    dataset: address.get("dataset") ?? start.dataset,
  };
  return job.error === null ? { data, ...asked } : { data, error: job.error, refetch: job.refetch };
}
