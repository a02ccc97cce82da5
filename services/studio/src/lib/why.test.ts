import { describe, expect, it } from "vitest";
import { whyOf } from "./why";

const LOST = { code: "worker_lost", message: "Worker w1 stopped answering.", hint: null, permanent: false };

describe("why a job went back into the queue", () => {
  it("is the error of the attempt, where there was one", () => {
    const why = whyOf({ status: "pending", reason: "lost", error: LOST });
    expect(why?.failure).toMatchObject({ about: "job", code: "worker_lost", detail: LOST.message, permanent: false });
  });

  it("is a cause by its code, with the sentence at hand", () => {
    const told = { status: "pending", reason: "something the worker needs does not answer: 503", cause: "unavailable" };
    expect(whyOf(told)).toEqual({ failure: null, code: "unavailable", said: told.reason });
  });

  it("is the outcome where that is all, and only a sentence in what older releases wrote", () => {
    expect(whyOf({ status: "pending", reason: "drained" })).toEqual({
      failure: null,
      code: "drained",
      said: "drained",
    });
    expect(whyOf({ reason: "the worker is shutting down" })?.code).toBeNull();
  });

  it("is nothing where nothing needs a reason", () => {
    expect(whyOf({ status: "training" })).toBeNull();
  });
});

it("tells why a checkpoint could not be saved", () => {
  const full = { code: "disk_full", message: "No space left on device", hint: "Make room." };
  expect(whyOf(full)?.failure).toEqual({ about: "job", code: "disk_full", detail: full.message, hint: full.hint });
  expect(whyOf({ step: 3, reason: "503" })).toEqual({ failure: null, code: "503", said: "503" });
});
