import { describe, expect, it } from "vitest";
import type { Recipe } from "../api/client";
import { fitting, isName, outputName } from "./recipes";

const recipe = (name: string, rank: number, modelKinds: string[], formats: string[]) =>
  ({ name, rank, modelKinds, formats }) as Recipe;
const RECIPES = [
  recipe("masked-lm", 30, ["encoder"], ["text", "question_answer"]),
  recipe("sft", 10, ["causal_lm", "adapter"], ["question_answer"]),
  recipe("any", 20, [], []),
];

describe("recipes", () => {
  it("fit model and data, the automatic choice first", () => {
    expect(fitting(RECIPES, "causal_lm", "question_answer").map(({ name }) => name)).toEqual(["sft", "any"]);
    expect(fitting(RECIPES.slice(0, 2), "encoder", "labelled_text")).toEqual([]);
  });
});

describe("names of models", () => {
  it("come from the job, or from what it is made of", () => {
    expect(outputName("My Run 3!", "a", "b")).toBe("my-run-3");
    expect(outputName("آموزش", "smollm2@2", "persian_qa")).toBe("smollm2-2-persian_qa");
  });

  it("are letters, digits and a few signs", () => {
    expect(["a", "team/a-1", "A.b_c"].every(isName)).toBe(true);
    expect(["", "-a", "a b", "a/b/c", "a..b", "مدل"].some(isName)).toBe(false);
  });
});
