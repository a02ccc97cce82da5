// Lets in whoever the gateway knows; asks for name and password where it asks for somebody.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { api, body } from "../api/client";
import { ApiProblem } from "../api/problem";
import { chooseProject, chosenProject, onSignedOut } from "../api/session";
import { Failed, Waiting } from "../ui/states";
import { LoginPage } from "./LoginPage";

export function useWhoAmI() {
  return useQuery({ queryKey: ["whoami"], queryFn: whoAmI, staleTime: 60_000 });
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

export function Gate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { error, isPending, refetch } = useWhoAmI();
  useEffect(() => onSignedOut(() => void client.resetQueries({ queryKey: ["whoami"] })), [client]);
  if (isPending) return <Waiting full />;
  if (error === null) return children;
  if (error instanceof ApiProblem && error.status === 401)
    return <LoginPage onDone={() => void client.resetQueries()} />;
  return <Failed error={error} again={() => void refetch()} full />;
}
