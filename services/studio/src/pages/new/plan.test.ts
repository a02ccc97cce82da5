import { describe, expect, it } from "vitest";
import type { Job, Recipe } from "../../api/client";
import { ApiProblem } from "../../api/problem";
import { ownOf } from "./own";
import { type Draft, draftOf, EMPTY, type Installed, placeOf, planOf } from "./plan";

const INSTALLED = {
  models: [{ name: "smollm2", path: "models/smollm2", kind: "causal_lm", sizeBytes: 1, rows: null }],
  datasets: [
    { name: "qa", path: "datasets/text/qa", kind: "question_answer", sizeBytes: 1, rows: 9 },
    { name: "labels", path: "datasets/text/labels", kind: "labelled_text", sizeBytes: 1, rows: 9 },
  ],
} as Installed;
const PROPERTIES = {
  epochs: { type: "integer", minimum: 1, maximum: 10_000, default: 3, basic: { minimum: 1, maximum: 100 } },
};
const RECIPES = [
  {
    name: "sft",
    rank: 1,
    modelKinds: ["causal_lm"],
    formats: ["question_answer"],
    paramsSchema: { properties: PROPERTIES },
  },
] as unknown as Recipe[];
const OWN = { model: { reference: "smollm2@2", there: true }, dataset: { reference: "qa@1", there: true } };
const plan = (draft: Partial<Draft>) => planOf({ ...EMPTY, ...draft }, INSTALLED, RECIPES);

describe("a plan", () => {
  it("names itself, its model and its recipe", () => {
    const made = plan({ model: "smollm2", dataset: "qa", given: { epochs: "۵" } });
    expect([made.name, made.output, made.recipe?.name, made.reasons]).toEqual([
      "smollm2 · qa",
      "smollm2-qa",
      "sft",
      [],
    ]);
    expect(made.config).toEqual({ baseModel: "smollm2", dataset: "qa", epochs: 5 });
  });

  it("says why it cannot start", () => {
    expect(plan({}).reasons).toEqual(["model", "dataset"]);
    expect(plan({ model: "smollm2", dataset: "labels" }).reasons).toEqual(["unfit"]);
    expect(plan({ model: "smollm2", dataset: "qa", name: " ", output: "a b" }).reasons).toEqual(["name", "output"]);
    const outside = plan({ model: "smollm2", dataset: "qa", given: { epochs: "101" } });
    expect([outside.reasons, outside.config]).toEqual([["params"], null]);
    expect(planOf(EMPTY, INSTALLED, []).reasons).toContain("recipes");
  });

  it("takes wider ranges where they were asked for, and says so", () => {
    const wide = plan({ model: "smollm2", dataset: "qa", advanced: true, given: { epochs: "101" } });
    expect(wide.config).toEqual({ baseModel: "smollm2", dataset: "qa", epochs: 101, advanced: true });
  });
});

describe("a training on several devices", () => {
  it("says so where it is more than one", () => {
    const shared = plan({ model: "smollm2", dataset: "qa", given: { devices: "۲", nodes: "1" } });
    expect(shared.config).toEqual({ baseModel: "smollm2", dataset: "qa", devices: 2 });
    expect(plan({ model: "smollm2", dataset: "qa", given: { nodes: "65" } }).reasons).toEqual(["params"]);
  });

  it("is on as many again", () => {
    const config = { submitted: { devices: 2, nodes: 3 }, recipe: "sft" };
    const draft = draftOf({ name: "n", config } as unknown as Job, EMPTY.own);
    expect(plan({ ...draft, model: "smollm2", dataset: "qa" }).config).toMatchObject({ devices: 2, nodes: 3 });
  });
});

describe("a job again", () => {
  it("is what it was submitted with", () => {
    const submitted = { baseModelPath: "models/smollm2", datasetPath: "datasets/text/qa", maxSteps: null, epochs: 2 };
    const config = { submitted, recipe: "sft", outputModel: "made" };
    const draft = draftOf({ name: "n", config } as unknown as Job, OWN);
    expect(draft).toEqual({
      ...EMPTY,
      name: "n",
      model: "smollm2@2",
      dataset: "qa@1",
      output: "made",
      given: { max_steps: "", epochs: "2" },
      own: OWN,
    });
    expect(plan(draft).config).toMatchObject({ baseModel: "smollm2@2", dataset: "qa@1" });
  });

  it("takes the newest of a version that is gone", () => {
    const own = { ...OWN, dataset: { reference: "qa@1", there: false } };
    const draft = draftOf({ name: "n", config: { submitted: {}, recipe: "sft" } } as unknown as Job, own);
    expect([draft.model, draft.dataset]).toEqual(["smollm2@2", "qa"]);
  });

  it("knows its versions by their id: a number may come again under a name that was deleted", () => {
    const ref = { name: "qa", version: 1, versionId: "dver_1" };
    const found = (id: string) => ownOf(ref, { data: { latest: { id } }, error: null });
    expect([found("dver_1"), found("dver_9")].map((own) => own?.there)).toEqual([true, false]);
    expect(ownOf(ref, { data: undefined, error: new ApiProblem(404, null, "gone") })?.there).toBe(false);
    expect(ownOf(ref, { data: undefined, error: new ApiProblem(503, null, "away") })).toBeUndefined();
    expect(ownOf(null, { data: undefined, error: null })).toBeNull();
  });

  it("is judged by what its version is, not by what the newest is", () => {
    const draft = { ...EMPTY, model: "smollm2@2", dataset: "qa@1" };
    expect(planOf(draft, INSTALLED, RECIPES, { dataset: "labelled_text" }).reasons).toEqual(["unfit"]);
    expect(
      planOf({ ...draft, dataset: "labels@1" }, INSTALLED, RECIPES, { dataset: "question_answer" }).reasons,
    ).toEqual([]);
  });
});

describe("fields of problems", () => {
  it("are found in the form", () => {
    expect(["config.learningRate", "name", "config.baseModelPath", "config.targetModules[0]"].map(placeOf)).toEqual([
      "learning_rate",
      "name",
      "base_model",
      "target_modules",
    ]);
  });
});
