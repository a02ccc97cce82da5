// Lets in whoever the gateway knows; asks for name and password where it asks for somebody.
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { ApiProblem } from "../api/problem";
import { onSignedOut } from "../api/session";
import { useWhoAmI } from "../api/whoami";
import { Failed, Waiting } from "../ui/states";
import { LoginPage } from "./LoginPage";

export function Gate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { data, error, isPending, refetch } = useWhoAmI();
  useEffect(
    () =>
      onSignedOut(() => {
        client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "whoami" });
        void client.resetQueries({ queryKey: ["whoami"] });
      }),
    [client],
  );
  if (isPending) return <Waiting full />;
  if (error instanceof ApiProblem && error.status === 401)
    return <LoginPage onDone={() => void client.resetQueries()} />;
  // Who was let in stays while the gateway is away: what is being written on the page must not be lost.
  if (error === null || data !== undefined) return children;
  return <Failed error={error} again={() => void refetch()} full />;
}
