// Which recipes fit a model and a dataset, and how a model that is to be made will be called: as the gateway does it.
import type { Recipe } from "../api/client";

/** Those that fit, the automatic choice first. */
export function fitting(recipes: Recipe[], kind: string, format: string): Recipe[] {
  return recipes
    .filter((recipe) => takes(recipe.modelKinds, kind) && takes(recipe.formats, format))
    .sort((one, other) => one.rank - other.rank || one.name.localeCompare(other.name));
}

function takes(known: string[], wanted: string): boolean {
  return known.length === 0 || known.includes(wanted);
}

/** Whether some recipe trains models of that kind at all. */
export function trainable(recipes: Recipe[], kind: string): boolean {
  return recipes.some((recipe) => takes(recipe.modelKinds, kind));
}

/** The name that the gateway gives a model when none was chosen; empty when it can make none. */
export function outputName(job: string, model: string, dataset: string): string {
  return slug(job) || slug(`${model} ${dataset}`.replaceAll("@", "-"));
}

function slug(text: string): string {
  return trimmed(text.replace(/[^A-Za-z0-9._]+/g, "-"))
    .slice(0, 96)
    .toLowerCase();
}

function trimmed(text: string): string {
  return text.replace(/^[-._]+|[-._]+$/g, "");
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$/;

/** Whether a model may be called so. */
export function isName(text: string): boolean {
  return NAME.test(text) && !text.includes("..");
}
