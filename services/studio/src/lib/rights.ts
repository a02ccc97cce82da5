// What a role may do, as the gateway judges it (docs/security.md).
import type { components } from "../api/schema";

type Who = Pick<components["schemas"]["WhoAmI"], "auth" | "role">;

/** Whether somebody may make and change things; where nobody logs in, everybody may. */
export function mayChange({ auth, role }: Who): boolean {
  return !auth || role === "trainer" || role === "admin";
}
