// From what stands in the form to what would be submitted: what fits, what is wrong, and why it cannot start yet.
import type { Job, Recipe, Schemas } from "../../api/client";
import type { Config } from "../../api/training";
import { camel, type Given, type Param, paramsOf, sentValue, snake, type Wrong, wrong } from "../../lib/params";
import { fitting, isName, outputName } from "../../lib/recipes";
import { partsOf } from "../../lib/references";
import { type Own, stillThere } from "./own";

export type Source = Schemas["InstalledSource"];
export type Installed = Schemas["InstalledSources"];

/** What the versions that are chosen are, where that is known: others of the same name may be something else. */
export interface Kinds {
  model?: string | undefined;
  dataset?: string | undefined;
}

export interface Draft {
  /** Null until somebody writes one: then it is made of model and dataset. */
  name: string | null;
  model: string | null;
  dataset: string | null;
  output: string;
  /** Null: the automatic choice. */
  recipe: string | null;
  advanced: boolean;
  given: Record<string, Given>;
  /** Of the job that this one is to be like. */
  own: { model: Own | null; dataset: Own | null };
}

export type Reason = "recipes" | "model" | "dataset" | "unfit" | "name" | "output" | "params";

export interface Plan {
  name: string;
  model: Source | null;
  dataset: Source | null;
  fits: Recipe[];
  recipe: Recipe | null;
  params: Param[];
  wrongs: Map<string, Wrong>;
  /** What the model will be called; empty when no name can be made. */
  output: string;
  /** Complete enough for the gateway to judge; null before. */
  config: Config | null;
  /** Why it cannot start. */
  reasons: Reason[];
}

export const EMPTY: Draft = {
  name: null,
  model: null,
  dataset: null,
  output: "",
  recipe: null,
  advanced: false,
  given: {},
  own: { model: null, dataset: null },
};

const ONE_TO_MANY = { low: 1, high: 64, openLow: false, openHigh: false };

/** How many devices and machines share the training: asked for beside the recipe's own parameters. */
const SHARED: Param[] = ["devices", "nodes"].map((name) => ({
  name,
  kind: "integer",
  title: name,
  description: "",
  nullable: false,
  standard: 1,
  choices: [],
  basic: ONE_TO_MANY,
  wide: ONE_TO_MANY,
  common: false,
}));

export function planOf(draft: Draft, installed: Installed, recipes: Recipe[], kinds: Kinds = {}): Plan {
  const model = named(installed.models, draft.model, kinds.model);
  const dataset = named(installed.datasets, draft.dataset, kinds.dataset);
  const fits = model && dataset ? fitting(recipes, model.kind, dataset.kind) : [];
  const recipe = fits.find(({ name }) => name === draft.recipe) ?? fits[0] ?? null;
  const params = recipe === null ? [] : [...paramsOf(recipe.paramsSchema), ...SHARED];
  const wrongs = new Map(params.map((param) => [param.name, wrong(param, draft.given[param.name], draft.advanced)]));
  const name = draft.name ?? suggested(draft);
  const output = draft.output.trim() || outputName(name, draft.model ?? "", draft.dataset ?? "");
  const plan = { name, model, dataset, fits, recipe, params, wrongs, output };
  const reasons = reasonsOf(plan, recipes);
  const ready = !reasons.some((reason) => reason !== "name" && reason !== "output");
  return { ...plan, reasons, config: ready ? configOf(draft, params) : null };
}

/** `name@2` is a version of `name`. */
function named(sources: Source[], wanted: string | null, kind: string | undefined): Source | null {
  const found = wanted === null ? undefined : sources.find(({ name }) => name === partsOf(wanted).name);
  return found === undefined ? null : { ...found, kind: kind ?? found.kind };
}

function suggested({ model, dataset }: Draft): string {
  return model && dataset ? `${model} · ${dataset}` : "";
}

function reasonsOf(plan: Omit<Plan, "reasons" | "config">, recipes: Recipe[]): Reason[] {
  const { model, dataset, recipe, name, output, wrongs } = plan;
  const found: [Reason, boolean][] = [
    ["recipes", recipes.length === 0],
    ["model", model === null],
    ["dataset", dataset === null],
    ["unfit", model !== null && dataset !== null && recipe === null && recipes.length > 0],
    ["name", name.trim() === "" && model !== null && dataset !== null],
    ["output", model !== null && dataset !== null && !isName(output)],
    ["params", [...wrongs.values()].some((one) => one !== null)],
  ];
  return found.filter(([, holds]) => holds).map(([reason]) => reason);
}

function configOf(draft: Draft, params: Param[]): Config {
  const values = params.flatMap((param) => {
    const value = sentValue(param, draft.given[param.name]);
    return value === undefined ? [] : [[camel(param.name), value] as const];
  });
  return {
    baseModel: draft.model,
    dataset: draft.dataset,
    ...(draft.output.trim() ? { outputModel: draft.output.trim() } : {}),
    ...(draft.recipe === null ? {} : { recipe: draft.recipe }),
    ...Object.fromEntries(values),
    ...(draft.advanced ? { advanced: true } : {}),
  };
}

const NOT_PARAMS = ["base_model", "base_model_path", "dataset", "dataset_path", "output_model", "output_dir"];
const OTHERS = ["recipe", "advanced"];

/** The same training again: what a job was submitted with, on the versions that it had where they still are there. */
export function draftOf(job: Job, own: Draft["own"]): Draft {
  const submitted = Object.entries(job.config.submitted ?? {}).map(([key, value]) => [snake(key), value] as const);
  const known = new Map<string, unknown>(submitted);
  const given = submitted.filter(([key]) => !NOT_PARAMS.includes(key) && !OTHERS.includes(key));
  return {
    name: job.name,
    model: stillThere(own.model),
    dataset: stillThere(own.dataset),
    output: job.config.outputModel ?? "",
    recipe: typeof known.get("recipe") === "string" ? job.config.recipe : null,
    advanced: known.get("advanced") === true,
    given: Object.fromEntries(given.map(([key, value]) => [key, asGiven(value)])),
    own,
  };
}

function asGiven(value: unknown): Given {
  if (typeof value === "boolean") return value;
  return value === null || value === undefined ? "" : String(value);
}

/** The parameter, or the part of the form, that a field of a problem means. */
export function placeOf(field: string): string {
  const name = snake(field.replace(/^config\./, "").replace(/[.[].*$/, ""));
  if (name === "base_model_path") return "base_model";
  if (name === "dataset_path") return "dataset";
  return name === "output_dir" ? "output_model" : name;
}
