import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Recipe } from "../../api/client";
import { ApiProblem } from "../../api/problem";
import { datasetFactsQuery, estimateQuery, modelFactsQuery, tokensQuery } from "../../api/training";
import { sentValue } from "../../lib/params";
import { useFailureWords } from "../../ui/problems";
import { Basics } from "./Basics";
import { Commands } from "./Commands";
import { EstimateCard } from "./EstimateCard";
import { Missing } from "./Missing";
import classes from "./NewPage.module.css";
import { Parameters } from "./Parameters";
import { Preview } from "./Preview";
import { type Draft, type Installed, type Kinds, type Plan, placeOf, planOf } from "./plan";
import { Start } from "./Start";
import { useStart } from "./useStart";

interface Props {
  first: Draft;
  installed: Installed;
  recipes: Recipe[];
}

/** What the gateway finds wrong, by the place in the form. */
export type Problems = ReadonlyMap<string, string>;

export function Form({ first, installed, recipes }: Props) {
  const [draft, setDraft] = useState(first);
  const kinds = useKinds(draft);
  const plan = useMemo(() => planOf(draft, installed, recipes, kinds), [draft, installed, recipes, kinds]);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const start = useStart(plan);
  const tokens = useQuery(tokensQuery(useCounted(plan, draft)));
  const [config] = useDebouncedValue(plan.config, 350);
  const estimate = useQuery(estimateQuery(config, tokens.data));
  const problems = useProblems(start.error ?? estimate.error);
  const part = { draft, plan, change, problems };
  return (
    <form
      className={classes.layout}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        start.go();
      }}
    >
      <div className={classes.main}>
        <Missing installed={installed} recipes={recipes} />
        <Basics {...part} installed={installed} recipes={recipes} />
        {plan.recipe !== null && <Parameters {...part} />}
        {plan.recipe !== null && <Preview tokens={tokens} />}
      </div>
      <div className={classes.aside}>
        <EstimateCard plan={plan} estimate={estimate} tokens={tokens} />
        <Start plan={plan} start={start} />
        {plan.config !== null && <Commands name={plan.name} config={plan.config} />}
      </div>
    </form>
  );
}

/** Of the versions that are chosen. */
function useKinds(draft: Draft): Kinds {
  const model = useQuery(modelFactsQuery(draft.model)).data?.latest.facts.kind;
  const dataset = useQuery(datasetFactsQuery(draft.dataset)).data?.latest.format;
  return useMemo(() => ({ model, dataset }), [model, dataset]);
}

/** What decides how rows become tokens; null before model and dataset are chosen. */
function useCounted(plan: Plan, draft: Draft) {
  const param = plan.params.find(({ name }) => name === "max_length");
  const value = param && plan.wrongs.get("max_length") === null ? sentValue(param, draft.given.max_length) : undefined;
  const [maxLength] = useDebouncedValue(typeof value === "number" ? value : null, 600);
  if (plan.recipe === null || draft.model === null || draft.dataset === null) return null;
  return { model: draft.model, dataset: draft.dataset, recipe: plan.recipe.name, maxLength };
}

function useProblems(error: unknown): Problems {
  const wordsOf = useFailureWords();
  if (!(error instanceof ApiProblem)) return new Map();
  const { fields } = wordsOf({ about: "request", errors: error.problem?.errors });
  return new Map(fields.map(({ field, text }) => [placeOf(field), text]));
}
