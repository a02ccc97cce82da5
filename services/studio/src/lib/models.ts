// What follows from a model's facts: where it comes from, what can be done with it, how others load it.
import type { ModelVersion } from "../api/client";

/** Trained here upon another one. */
export function isTuned({ facts, lineage }: ModelVersion): boolean {
  return facts.kind === "adapter" || typeof lineage?.base_model === "string";
}

/** The name of what it was trained upon. */
export function baseOf({ facts, lineage }: ModelVersion): string | null {
  const named = lineage?.base_model;
  return typeof named === "string" ? named : (facts.baseModel ?? null);
}

export function canChat({ facts }: ModelVersion): boolean {
  const generating = (facts.architectures ?? []).some((name) => /(ForCausalLM|LMHeadModel)$/.test(name));
  return facts.kind !== "gguf" && (facts.kind === "causal_lm" || generating);
}

/** Into which formats it can be exported. */
export function exportsOf({ facts }: ModelVersion): ("safetensors" | "gguf")[] {
  if (facts.kind === "adapter") return facts.modelType === "llama" ? ["safetensors", "gguf"] : ["safetensors"];
  return facts.kind === "causal_lm" && facts.modelType === "llama" ? ["gguf"] : [];
}

export function canTrain({ facts }: ModelVersion): boolean {
  return ["causal_lm", "adapter", "encoder", "classifier"].includes(facts.kind);
}

const AUTO: Record<string, string> = {
  causal_lm: "AutoModelForCausalLM",
  encoder: "AutoModel",
  classifier: "AutoModelForSequenceClassification",
};

/** Ways to load this very version elsewhere, with `hub` as the address of the Hub's protocol. */
export function loadingOf(version: ModelVersion, hub: string): [string, string][] {
  const { model, facts } = version;
  const shell = `export HF_ENDPOINT=${hub}`;
  const download: [string, string] = ["hf", `${shell}\nhf download ${model} --revision v${version.version}`];
  if (facts.kind === "adapter") return [["Python", adapterCode(version, shell)], download];
  const auto = AUTO[facts.kind];
  if (auto === undefined) return [download];
  const code = [
    `# ${shell}`,
    `from transformers import ${auto}, AutoTokenizer`,
    "",
    `model = ${auto}.from_pretrained("${model}", revision="v${version.version}")`,
    `tokenizer = AutoTokenizer.from_pretrained("${model}", revision="v${version.version}")`,
  ];
  return [["Python", code.join("\n")], download];
}

function adapterCode(version: ModelVersion, shell: string): string {
  const base = baseOf(version);
  const at = version.lineage?.base_version;
  const revision = typeof at === "number" ? `, revision="v${at}"` : "";
  const auto = (version.facts.architectures ?? []).some((name) => name.endsWith("ForSequenceClassification"))
    ? "AutoModelForSequenceClassification"
    : "AutoModelForCausalLM";
  return [
    `# ${shell}`,
    "from peft import PeftModel",
    `from transformers import ${auto}, AutoTokenizer`,
    "",
    `base = ${auto}.from_pretrained("${base}"${revision})`,
    `model = PeftModel.from_pretrained(base, "${version.model}", revision="v${version.version}")`,
    `tokenizer = AutoTokenizer.from_pretrained("${version.model}", revision="v${version.version}")`,
  ].join("\n");
}

export interface Measured {
  name: string;
  before: number | null;
  after: number | null;
}

/** What was measured before and after the training, by name. */
export function measuresOf({ lineage }: ModelVersion): Measured[] {
  const metrics = asFigures(lineage?.metrics);
  const before = asFigures(metrics.before);
  const after = asFigures(metrics.after);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((name) => ({ name, before: number(before[name]), after: number(after[name]) }))
    .filter((one) => one.before !== null || one.after !== null);
}

export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function asFigures(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
