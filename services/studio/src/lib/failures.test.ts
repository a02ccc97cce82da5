import { describe, expect, it } from "vitest";
import { fieldWords, jobFailure, type Look, wordsOf } from "./failures";

const TEXTS: Record<string, string> = {
  triedAgain: "again",
  "request.conflict.title": "not now",
  "request.conflict.way": "look again",
  "request.invalid.title": "not taken",
  "field.too_large": "too large",
  "job.out_of_memory.title": "no memory",
  "job.out_of_memory.way": "take less",
};
const look: Look = (key) => TEXTS[key] ?? null;
const MEMORY = { code: "out_of_memory", message: "2,048 tokens do not fit.", hint: "Lower max_length." };

describe("a failure", () => {
  it("of a job is told by its code, with the service's words at hand", () => {
    const words = wordsOf(look, jobFailure({ ...MEMORY, permanent: true }));
    expect(words).toMatchObject({ title: "no memory", way: "take less", told: true });
    expect(words.original).toEqual([MEMORY.message, MEMORY.hint, "out_of_memory"]);
  });

  it("of a job that is tried again says so", () => {
    expect(wordsOf(look, jobFailure({ ...MEMORY, permanent: false })).way).toBe("take less again");
  });

  it.each(["never_seen", "", "job.out_of_memory", "a b", null])(
    "of the code %s stands in the service's words",
    (code) => {
      const words = wordsOf(look, { about: "job", code, detail: MEMORY.message, hint: MEMORY.hint, permanent: false });
      expect(words).toMatchObject({ title: null, way: null, told: false });
      expect(words.original).toEqual([MEMORY.message, MEMORY.hint]);
    },
  );

  it("of a request names what is in its way, so that is not out of sight", () => {
    const words = wordsOf(look, { about: "request", code: "conflict", detail: "qa@1 is what qa@2 was made from" });
    expect(words).toMatchObject({ title: "not now", way: "look again", told: false });
    expect(words.original).toEqual(["qa@1 is what qa@2 was made from"]);
  });

  it("does not mean the same in an answer and at a job's end", () => {
    expect(wordsOf(look, { about: "request", code: "out_of_memory" }).title).toBeNull();
  });
});

describe("what is wrong with fields", () => {
  const known = { field: "epochs", code: "too_large", message: "At most 100; 200 was given." };
  const unknown = { field: "name", code: "never_seen", message: "Not so." };

  it("is told by code, field for field", () => {
    expect(fieldWords(look, known)).toEqual({ field: "epochs", text: "too large", known: true });
    expect(fieldWords(look, unknown)).toEqual({ field: "name", text: "Not so.", known: false });
  });

  it("is all told only when each has a text", () => {
    const told = (errors: (typeof known)[]) => wordsOf(look, { about: "request", code: "invalid", errors }).told;
    expect([told([known]), told([known, unknown]), told([])]).toEqual([true, false, false]);
  });

  it("keeps the limits that the service names, and repeats nothing", () => {
    const words = wordsOf(look, { about: "request", code: "invalid", detail: "Not so.", errors: [known, unknown] });
    expect(words.original).toEqual(["Not so.", "epochs: At most 100; 200 was given."]);
    expect(words.fields.map(({ text }) => text)).toEqual(["too large"]);
  });
});
