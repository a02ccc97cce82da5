import { describe, expect, it } from "vitest";
import type { ModelVersion } from "../api/client";
import { canChat, exportsOf, isTuned, loadingOf, measuresOf } from "./models";

const version = (kind: string, lineage: Record<string, unknown> = {}, architectures: string[] = []) =>
  ({
    model: "lab/one",
    version: 3,
    lineage,
    facts: { kind, modelType: "llama", architectures },
  }) as unknown as ModelVersion;

describe("models", () => {
  it("knows what was trained here, also with all weights", () => {
    expect([version("causal_lm"), version("adapter"), version("causal_lm", { base_model: "b" })].map(isTuned)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("exports adapters whole, and Llamas as GGUF", () => {
    expect(["adapter", "causal_lm", "encoder", "gguf"].map((kind) => exportsOf(version(kind)))).toEqual([
      ["safetensors", "gguf"],
      ["gguf"],
      [],
      [],
    ]);
  });

  it("chats with language models and their adapters alone", () => {
    const chat = ["adapter", "causal_lm", "gguf"].map((kind) => canChat(version(kind, {}, ["LlamaForCausalLM"])));
    expect([...chat, canChat(version("adapter"))]).toEqual([true, true, false, false]);
  });

  it("loads the very version, and an adapter on the version that it was trained on", () => {
    const [python] = loadingOf(version("adapter", { base_model: "b", base_version: 2 }), "http://h/hub");
    expect(python?.[1]).toContain('from_pretrained("b", revision="v2")');
    expect(python?.[1]).toContain('PeftModel.from_pretrained(base, "lab/one", revision="v3")');
    expect(loadingOf(version("gguf"), "http://h/hub").map(([name]) => name)).toEqual(["hf"]);
  });

  it("pairs what was measured before and after", () => {
    const metrics = { before: { eval_loss: 2 }, after: { eval_loss: 1, accuracy: 0.5, odd: "x" } };
    expect(measuresOf(version("adapter", { metrics }))).toEqual([
      { name: "eval_loss", before: 2, after: 1 },
      { name: "accuracy", before: null, after: 0.5 },
    ]);
  });
});
