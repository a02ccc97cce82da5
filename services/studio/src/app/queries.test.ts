import { onlineManager } from "@tanstack/react-query";
import { afterEach, expect, it } from "vitest";
import { queryClient } from "./queries";

afterEach(() => onlineManager.setOnline(true));

it("asks and changes also while the browser says that it is offline: the platform may be on this machine", async () => {
  onlineManager.setOnline(false);
  expect(await queryClient.fetchQuery({ queryKey: ["a"], queryFn: () => 1 })).toBe(1);
  const mutation = queryClient.getMutationCache().build(queryClient, { mutationFn: async () => 2 });
  expect(await mutation.execute(undefined)).toBe(2);
});
