// What from, on what, and what the result is called.
import { Alert, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Recipe } from "../../api/client";
import { datasetFactsQuery, modelFactsQuery } from "../../api/training";
import { useTextOr } from "../../i18n/optional";
import { useFormat } from "../../lib/format";
import { isName } from "../../lib/recipes";
import type { Problems } from "./Form";
import classes from "./NewPage.module.css";
import type { Draft, Installed, Plan } from "./plan";
import { RecipeSelect } from "./RecipeSelect";
import { SourceSelect } from "./SourceSelect";
import { DatasetVersionNote, ModelVersionNote } from "./VersionNote";

export interface PartProps {
  draft: Draft;
  plan: Plan;
  change: (part: Partial<Draft>) => void;
  problems: Problems;
}

type Props = PartProps & { installed: Installed; recipes: Recipe[] };

export function Basics({ draft, plan, change, problems, installed, recipes }: Props) {
  const { t } = useTranslation("new");
  return (
    <section className={`k-card ${classes.section}`}>
      <Title order={2} size="h4" mb="md">
        {t("basics")}
      </Title>
      <div className={classes.pair}>
        <div>
          <SourceSelect
            label={t("model.label")}
            placeholder={t("model.placeholder")}
            sources={installed.models}
            own={draft.own.model}
            kinds="kinds"
            value={draft.model}
            onChange={(model) => change({ model })}
            error={draft.model !== null && plan.model === null ? t("gone") : problems.get("base_model")}
          />
          <ModelFacts name={plan.model && draft.model} />
          <ModelVersionNote reference={draft.model} own={draft.own.model} choose={(model) => change({ model })} />
        </div>
        <div>
          <SourceSelect
            label={t("dataset.label")}
            placeholder={t("dataset.placeholder")}
            sources={installed.datasets}
            own={draft.own.dataset}
            kinds="formats"
            value={draft.dataset}
            onChange={(dataset) => change({ dataset })}
            error={draft.dataset !== null && plan.dataset === null ? t("gone") : problems.get("dataset")}
          />
          <DatasetFacts name={plan.dataset && draft.dataset} />
          <DatasetVersionNote
            reference={draft.dataset}
            own={draft.own.dataset}
            choose={(dataset) => change({ dataset })}
          />
        </div>
        <TextInput
          label={t("name.label")}
          description={t("name.text")}
          required
          maxLength={200}
          value={plan.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          error={plan.reasons.includes("name") ? t("reasons.name") : problems.get("name")}
        />
        <Output
          draft={draft}
          plan={plan}
          change={change}
          problem={problems.get("output_model")}
          installed={installed}
        />
      </div>
      {plan.reasons.includes("unfit") && <Unfit plan={plan} recipes={recipes} />}
      {plan.recipe !== null && (
        <RecipeSelect draft={draft} plan={plan} change={change} problem={problems.get("recipe")} />
      )}
    </section>
  );
}

type OutputProps = Omit<PartProps, "problems"> & { problem: string | undefined; installed: Installed };

function Output({ draft, plan, change, problem, installed }: OutputProps) {
  const { t } = useTranslation("new");
  const there = installed.models.some(({ name }) => name === plan.output);
  const bad = plan.model !== null && plan.dataset !== null && !isName(plan.output);
  return (
    <TextInput
      label={t("output.label")}
      description={there ? t("output.there") : t("output.text")}
      dir="ltr"
      placeholder={plan.output}
      value={draft.output}
      onChange={(event) => change({ output: event.currentTarget.value })}
      error={bad ? t("reasons.output") : problem}
      styles={{ label: { textAlign: "start" } }}
    />
  );
}

function Unfit({ plan, recipes }: { plan: Plan; recipes: Recipe[] }) {
  const { t } = useTranslation("new");
  const or = useTextOr("new");
  const kind = plan.model?.kind ?? "";
  const formats = recipes
    .filter(({ modelKinds }) => modelKinds.length === 0 || modelKinds.includes(kind))
    .flatMap((recipe) => recipe.formats);
  const known = [...new Set(formats)].map((format) => or(`new:formats.${format}`, format));
  return (
    <Alert color="zaferan" mt="md" title={t("unfit.title")} role="status">
      {t("unfit.text", {
        kind: or(`new:kinds.${kind}`, kind),
        format: or(`new:formats.${plan.dataset?.kind}`, plan.dataset?.kind ?? ""),
      })}{" "}
      {known.length > 0 ? t("unfit.formats", { formats: known.join(t("comma")) }) : t("unfit.never")}
    </Alert>
  );
}

function ModelFacts({ name }: { name: string | null }) {
  const { t } = useTranslation("new");
  const or = useTextOr("new");
  const format = useFormat();
  const { data } = useQuery(modelFactsQuery(name));
  if (name === null || data === undefined) return null;
  const { facts, version, sizeBytes } = data.latest;
  const parts = [
    t("facts.version", { version: format.number(version) }),
    or(`new:kinds.${facts.kind}`, facts.kind),
    facts.parameters != null && t("facts.parameters", { count: format.compact(facts.parameters) as never }),
    format.bytes(sizeBytes),
    facts.contextLength != null && t("facts.context", { tokens: format.number(facts.contextLength) }),
    facts.license != null ? t("facts.license", { license: facts.license }) : t("facts.noLicense"),
    facts.baseModel != null && t("facts.base", { name: facts.baseModel }),
  ];
  return <Facts parts={parts} />;
}

function DatasetFacts({ name }: { name: string | null }) {
  const { t } = useTranslation("new");
  const or = useTextOr("new");
  const format = useFormat();
  const { data } = useQuery(datasetFactsQuery(name));
  if (name === null || data === undefined) return null;
  const { stats, version, format: rows, warnings } = data.latest;
  const parts = [
    t("facts.version", { version: format.number(version) }),
    or(`new:formats.${rows}`, rows),
    t("facts.rows", { rows: format.number(stats.rows) }),
    format.bytes(stats.sizeBytes),
    (warnings ?? []).length > 0 && t("facts.warnings", { number: format.number((warnings ?? []).length) }),
  ];
  return <Facts parts={parts} />;
}

function Facts({ parts }: { parts: (string | false)[] }) {
  return <div className={classes.facts}>{parts.map((part) => part && <bdi key={part}>{part}</bdi>)}</div>;
}
