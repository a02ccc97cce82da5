// Who asks here, and in which project.
import { useQuery } from "@tanstack/react-query";
import { api, body } from "./client";
import { ApiProblem } from "./problem";
import { chooseProject, chosenProject } from "./session";

const AGAIN_MS = 3_000;

/** Asked for again while nothing answers: whoever waits need not press anything. */
export function useWhoAmI() {
  return useQuery({
    queryKey: ["whoami"],
    queryFn: whoAmI,
    staleTime: 60_000,
    refetchInterval: ({ state: { error } }) => (error instanceof ApiProblem && error.passing ? AGAIN_MS : false),
  });
}

async function whoAmI() {
  try {
    return await settled();
  } catch (error) {
    // A project that was chosen here once and is not one's own any more.
    if (!(error instanceof ApiProblem && error.status === 403 && chosenProject() !== null)) throw error;
    chooseProject(null);
    return settled();
  }
}

/** Somebody with several projects works in the first until another is chosen. */
async function settled() {
  const found = await body(api.GET("/api/auth/whoami"));
  const [first] = found.projects;
  if (found.auth && found.project === null && first !== undefined) {
    chooseProject(first.project);
    return body(api.GET("/api/auth/whoami"));
  }
  return found;
}
