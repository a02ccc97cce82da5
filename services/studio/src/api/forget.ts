// After a deletion.
import type { QueryClient, QueryKey } from "@tanstack/react-query";

/**
 * What is shown below `key` is about to be left, so it is not asked for once more, to be told 404. Where a version alone
 * was deleted, what tells of the others is in `left`, and is asked for anew; null where nothing is left.
 */
export function forget(client: QueryClient, key: QueryKey, left: QueryKey[] | null): void {
  if (left === null) {
    client.removeQueries({ queryKey: key, type: "inactive" });
    return;
  }
  void client.invalidateQueries({ queryKey: key, refetchType: "none" });
  for (const queryKey of left) void client.refetchQueries({ queryKey, type: "active" });
}
