import { beforeAll, expect, it } from "vitest";
import { i18next, loadAllTexts, startTexts } from ".";

beforeAll(async () => {
  await startTexts();
  await loadAllTexts();
});

it("keeps what names do to the direction within them, and takes them for nothing but text", () => {
  const said = (name: string) => i18next.t("controls.cancelText", { name });
  expect(said("a\u202eb")).toContain("\u2068a\u202eb\u2069");
  expect(said("<b>&$t(cancel){{name}}")).toContain("<b>&$t(cancel){{name}}");
});
