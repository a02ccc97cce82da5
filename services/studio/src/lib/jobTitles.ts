// What a job that nobody named is called: made of its kind and what it works on, in the language of the page.
import type { Job } from "../api/client";

/** The part of a job that its title is made of. */
export type Titled = Pick<Job, "kind" | "name" | "config">;

const SOURCE_SHOWN = 80;
const LONGEST_NAME = 200;

/** What the text `titles.<kind>` is filled with; null where somebody gave the job a name. */
export function titleParts(job: Titled): Record<string, string> | null {
  return job.name === ownName(job) ? partsOf(job) : null;
}

/** What the gateway calls such a job (`Draft` in gateway/jobs): jobTitles.cases.json is tried on both. */
function ownName(job: Titled): string | null {
  const { model, source, dataset, output, repository } = partsOf(job) ?? {};
  switch (job.kind) {
    case "install":
      return `install ${model}`;
    case "import":
      return `import ${source} as ${dataset}`;
    case "export":
      return `export ${model} as ${output}`;
    case "push":
      return `push ${model} to ${repository}`;
    case "evaluate": {
      const { model: given, baseModel, dataset: rows } = job.config.submitted ?? {};
      return firstOf(`evaluate ${given ?? baseModel} on ${rows}`, LONGEST_NAME);
    }
    default:
      return null;
  }
}

function partsOf({ kind, config }: Titled): Record<string, string> | null {
  const { outputModel, outputDataset, params } = config;
  const model = config.baseModel?.name ?? "";
  switch (kind) {
    case "install":
      return { model: outputModel ?? "" };
    case "import":
      return { source: firstOf(String(params.source).split("?")[0] ?? "", SOURCE_SHOWN), dataset: outputDataset ?? "" };
    case "export":
      return { model, output: outputModel ?? "" };
    case "push":
      return { model, repository: String(params.repository) };
    case "evaluate":
      return { model, dataset: config.dataset?.name ?? "" };
    default:
      return null;
  }
}

/** So many characters, as Python counts them. */
function firstOf(text: string, count: number): string {
  return [...text].slice(0, count).join("");
}
