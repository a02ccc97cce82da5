// How data is kept: fresh enough, tried again when the way was the trouble and not the request.
import { MutationCache, QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "../api/problem";
import { tellFailure } from "../ui/toasts";

const MOST_TRIES = 3;

export const queryClient = new QueryClient({
  mutationCache: new MutationCache({
    onError: (error, _variables, _context, mutation) => {
      if (mutation.meta?.quiet !== true) tellFailure(error);
    },
  }),
  defaultOptions: {
    // The platform may be on this very machine: a browser that says it is offline does not say that nothing answers.
    queries: {
      networkMode: "always",
      refetchOnReconnect: true,
      staleTime: 5_000,
      retry: (tries, error) => tries < MOST_TRIES && (!(error instanceof ApiProblem) || error.passing),
      retryDelay: (tries) => Math.min(500 * 2 ** tries, 5_000),
    },
    mutations: { networkMode: "always", retry: false },
  },
});
