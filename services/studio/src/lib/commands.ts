// The same training as a command line and as a request: what the Studio does can be done without it.
import { snake } from "./params";

export interface Submission {
  name: string;
  config: Record<string, unknown>;
}

const OPTIONS: Record<string, string> = {
  baseModel: "-m",
  baseModelPath: "-m",
  dataset: "-d",
  datasetPath: "-d",
  outputModel: "-o",
  outputDir: "-o",
  epochs: "--epochs",
  learningRate: "--lr",
  batchSize: "--batch-size",
  maxSteps: "--max-steps",
  recipe: "--recipe",
  devices: "--devices",
  nodes: "--nodes",
};

export function cliOf({ name, config }: Submission): string {
  const parts = Object.entries(config).flatMap(([key, value]) => {
    if (value === null || value === undefined || key === "advanced") return [];
    const option = OPTIONS[key];
    return option ? [`${option} ${quoted(String(value))}`] : [`--set ${quoted(`${snake(key)}=${written(value)}`)}`];
  });
  const advanced = config.advanced === true ? ["--set advanced=true"] : [];
  return ["kargah train", ...parts, ...advanced, `--name ${quoted(name)}`].join(" ");
}

export function curlOf(submission: Submission, origin = window.location.origin): string {
  const body = JSON.stringify(submission).replace(/'/g, "'\\''");
  return `curl -X POST ${origin}/api/train/jobs -H 'Content-Type: application/json' -d '${body}'`;
}

/** Lists as JSON, which is how the command line reads them. */
function written(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}
